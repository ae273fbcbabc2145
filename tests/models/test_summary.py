"""The summary table, and wrong shapes named at the layer where they happen."""

import subprocess
import sys

import pytest

from cnn_core.errors import RecipeError, ShapeError, UnknownNameError
from cnn_core.models.layers import Shape, read_layers
from cnn_core.models.network import build
from cnn_core.models.presets import network_presets
from cnn_core.models.summary import summarise, totals
from cnn_core.recipe import LayerSpec


def layers(*kinds: str | dict) -> list[LayerSpec]:
    return [LayerSpec(kind=kind) if isinstance(kind, str) else LayerSpec(**kind) for kind in kinds]


def test_the_table_of_the_simple_cnn() -> None:
    rows = summarise(network_presets.get("simple_cnn").layers, (3, 32, 32), 10)
    assert [(row.position, row.kind, row.detail, row.output_shape, row.parameters, row.macs) for row in rows[:3]] == [
        (0, "conv", "3×3, 16 channels", (16, 32, 32), 3 * 9 * 16 + 16, 16 * 32 * 32 * 3 * 9),
        (1, "relu", "", (16, 32, 32), 0, 0),
        (2, "max_pool", "2×2", (16, 16, 16), 0, 0),
    ]
    assert [row.receptive_field for row in rows] == [3, 3, 4, 8, 8, 10, 18, 18, 22, 22, None, None, None]
    assert totals(rows).megabytes == pytest.approx(0.624296)


def test_receptive_field_of_a_residual_block_is_that_of_its_two_convolutions() -> None:
    block = layers({"kind": "residual", "stride": 2}, {"kind": "conv", "channels": 3}, "global_pool", "linear")
    pair = layers({"kind": "conv", "stride": 2}, "conv", "conv", "global_pool", "linear")
    assert summarise(block, (3, 32, 32), 10)[1].receptive_field == summarise(pair, (3, 32, 32), 10)[2].receptive_field


PADDED = {"kind": "conv", "kernel": 9, "padding": 1}
WRONG: list[tuple[list[LayerSpec], Shape, int, str]] = [
    (
        layers("conv", "max_pool", "max_pool", {"kind": "conv", "kernel": 5, "padding": 0}, "flatten", "linear"),
        (1, 14, 14),
        3,
        "Layer 4, convolution: a 5×5 kernel does not fit its 3×3 input. "
        "Use a kernel of at most 3, more padding, or one pooling layer fewer.",
    ),
    (
        layers(PADDED, "flatten", "linear"),
        (1, 6, 20),
        0,
        "Layer 1, convolution: a 9×9 kernel does not fit its 6×20 input with 1 of padding. "
        "Use a kernel of at most 8, more padding, or one pooling layer fewer.",
    ),
    (
        layers("conv", "linear"),
        (3, 32, 32),
        1,
        "Layer 2, linear: it takes a row of numbers, but 16 maps of 32×32 come in. "
        "Put a flatten or a global pooling before it.",
    ),
    (
        layers("flatten", "conv", "linear"),
        (3, 4, 4),
        1,
        "Layer 2, convolution: it takes maps, but a row of 48 numbers comes in. Put it before the flatten.",
    ),
    (
        layers({"kind": "max_pool", "kernel": 3, "padding": 2}, "flatten", "linear"),
        (3, 8, 8),
        0,
        "Layer 1, max pooling: 2 of padding is more than half of its 3×3 window. Use a padding of at most 1.",
    ),
    (
        layers("conv", "relu"),
        (3, 8, 8),
        1,
        "Layer 2, ReLU: the network ends in 16 maps of 8×8, but there are 10 classes and each needs one number. "
        "Add a flatten and a linear layer of 0 features, which means one a class.",
    ),
    (
        layers("flatten", {"kind": "linear", "features": 9}),
        (3, 8, 8),
        1,
        "Layer 2, linear: the network ends in 9 numbers, but there are 10 classes and each needs one number. "
        "End with a linear layer of 0 features, which means one a class.",
    ),
    (
        layers("flatten", {"kind": "linear", "features": 16384}, "linear"),
        (3, 256, 256),
        1,
        "Layer 2, linear: with it the network has 3,221,241,856 parameters; at most 200,000,000 are allowed. "
        "Use fewer features or channels, or a pooling layer before it.",
    ),
    ([], (3, 8, 8), 0, "The network has no layers. Start from a preset or add a flatten and a linear layer."),
]


@pytest.mark.parametrize(("specs", "shape", "layer", "sentence"), WRONG, ids=[wrong[3][:50] for wrong in WRONG])
def test_a_wrong_shape_names_the_layer_what_came_in_and_what_fits(
    specs: list[LayerSpec], shape: Shape, layer: int, sentence: str
) -> None:
    for attempt in (summarise, build):
        with pytest.raises(ShapeError) as caught:
            attempt(specs, shape, 10)
        assert str(caught.value) == sentence
        assert caught.value.layer == layer


def test_a_layer_that_cannot_be_read_is_named() -> None:
    with pytest.raises(UnknownNameError, match=r"^Layer 2: There is no layer kind called 'cnv'\. Did you mean conv\?"):
        read_layers(layers("relu", "cnv"))
    with pytest.raises(RecipeError, match=r"Layer 1 \(conv\) kernel: .* less than or equal to 31"):
        read_layers(layers({"kind": "conv", "kernel": 99}))
    with pytest.raises(RecipeError, match=r"Layer 1 \(conv\) size is not a known field\. Known: channels, kernel"):
        read_layers(layers({"kind": "conv", "size": 3}))


def test_the_table_is_made_without_torch() -> None:
    code = (
        "import sys; from cnn_core.models.presets import network_presets;"
        "from cnn_core.models.summary import summarise;"
        "[summarise(preset.layers, (3, 32, 32), 10) for preset in network_presets]; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
