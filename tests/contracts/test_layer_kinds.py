"""What every layer kind owes: its plain arithmetic agrees with the torch module it builds, for any shape."""

from math import prod

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from cnn_core.errors import PlaygroundError
from cnn_core.models.composite import Composite
from cnn_core.models.layers import Layer, Shape, layer_kinds, read_layers
from cnn_core.recipe import LayerSpec

CLASSES = 7
CONV = {"kind": "conv", "channels": 2}
UNUSUAL: dict[str, list[dict]] = {
    "conv": [
        {"channels": 5, "kernel": 5, "stride": 2, "padding": 0},
        {"channels": 1, "kernel": 1, "padding": 3, "bias": False},
        {"kernel": 4, "stride": 3, "padding": 2},
        {"kernel": 2, "stride": 16, "padding": 15},
        {"dilation": 2, "padding": 2},
        {"channels": 4, "groups": 4, "dilation": 3, "padding": 0},
        {"channels": 6, "groups": 2},
        *({"padding": 2, "padding_mode": mode} for mode in ("reflect", "replicate", "circular")),
    ],
    "max_pool": [{"kernel": 3, "stride": 2, "padding": 1}, {"kernel": 2, "stride": 1}, {"kernel": 5, "padding": 2}],
    "avg_pool": [{"kernel": 3, "stride": 2, "padding": 1}, {"kernel": 2, "stride": 3}, {"kernel": 1}],
    "global_pool": [{"mode": "max"}, {"mode": "average"}],
    "leaky_relu": [{"slope": 0.3}],
    "dropout": [{"probability": 0.0}, {"probability": 0.9}],
    "linear": [{"features": 13}, {"features": 1, "bias": False}, {"scale": 0.125}, {"features": 5, "scale": 3.0}],
    "depthwise": [{"kernel": 5, "stride": 2, "padding": 0, "bias": False}],
    "pointwise": [{"channels": 3, "bias": False}],
    "depthwise_separable": [{"channels": 5, "stride": 3, "bias": False}],
    "group_norm": [{"groups": 2}, {"groups": 1}],
    "elu": [{"alpha": 0.5}],
    "dropout2d": [{"probability": 0.9}],
    "adaptive_avg_pool": [{"size": 3}, {"size": 7}],
    "repeat": [{"times": 3, "layers": [CONV, {"kind": "relu"}]}, {"layers": [{"kind": "max_pool"}]}, {"times": 1}],
    "branches": [
        {"branches": [[CONV], [{"kind": "conv", "channels": 4, "kernel": 5, "padding": 2}], []]},
        {"branches": [[CONV, {"kind": "batch_norm"}], [{"kind": "pointwise", "channels": 2}]], "merge": "add"},
        {"branches": [[{"kind": "max_pool"}], [{"kind": "avg_pool"}]], "merge": "concatenate"},
        {"branches": [[], [{"kind": "global_pool"}, {"kind": "sigmoid"}]], "merge": "multiply"},
        {"branches": [[{"kind": "repeat", "layers": [CONV]}], [CONV, {"kind": "residual"}]], "merge": "multiply"},
    ],
    "residual": [{"channels": 6}, {"stride": 2}, {"channels": 3, "stride": 3}, {"channels": 4}],
}
SHAPES: list[Shape] = [(1, 28, 28), (3, 32, 32), (4, 7, 12), (2, 9, 5), (5, 2, 3), (1, 1, 1), (3, 64, 17), (12,), (1,)]
POOLS = ("max_pool", "avg_pool", "adaptive_avg_pool", "global_pool")
CASES = [(kind, parameters) for kind in layer_kinds.names() for parameters in [{}, *UNUSUAL.get(kind, [])]]


def layer_of(kind: str, parameters: dict) -> Layer:
    return read_layers([LayerSpec(kind=kind, **parameters)])[0]


def agrees_with_torch(layer: Layer, shape: Shape) -> None:
    """Both refuse the shape, or both give the same output shape, parameters and multiply-accumulates."""
    images = torch.randn(2, *shape)
    try:
        expected = layer.output_shape(shape, CLASSES)
    except PlaygroundError:
        # of layers inside others the shapes are worked out by the same arithmetic before torch is asked
        own = (PlaygroundError,) if isinstance(layer, Composite) else ()
        with pytest.raises((RuntimeError, ValueError, *own)):
            layer.build(shape, CLASSES).eval()(images)
        return
    module = layer.build(shape, CLASSES).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        output = module(images)
    assert tuple(output.shape) == (2, *expected)
    assert layer.parameters(shape, CLASSES) == sum(weights.numel() for weights in module.parameters())
    assert layer.macs(shape, CLASSES) * 2 * len(images) == counter.get_total_flops()


MAPS = ("conv", "depthwise", "pointwise", "depthwise_separable", "residual", "dropout2d", *POOLS)
TAKES = {"linear": 1, **dict.fromkeys(MAPS, 3)}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("kind", "parameters"), CASES, ids=str)
def test_shape_parameters_and_macs_are_torchs(kind: str, parameters: dict, shape: Shape) -> None:
    layer = layer_of(kind, parameters)
    if TAKES.get(kind, len(shape)) == len(shape):
        agrees_with_torch(layer, shape)
    else:
        with pytest.raises(PlaygroundError, match="it takes"):
            layer.output_shape(shape, CLASSES)


NOT_COUNTED = ("group_norm", "layer_norm")  # their statistics are of all pixels; receptive fields leave them out


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(["conv", "max_pool", "avg_pool"]),
    kernel=st.integers(1, 9),
    stride=st.integers(1, 5),
    padding=st.integers(0, 5),
    shape=st.tuples(st.integers(1, 4), st.integers(1, 20), st.integers(1, 20)),
)
def test_sliding_windows_agree_for_any_size(kind: str, kernel: int, stride: int, padding: int, shape: Shape) -> None:
    agrees_with_torch(layer_of(kind, {"kernel": kernel, "stride": stride, "padding": padding}), shape)


@pytest.mark.parametrize(("kind", "parameters"), CASES, ids=str)
def test_reach_is_the_square_of_pixels_that_change_an_output(kind: str, parameters: dict) -> None:
    layer, side = layer_of(kind, parameters), 21
    shape: Shape = (side * side,) if kind == "linear" else (4, side, side)
    module = layer.build(shape, CLASSES).eval()
    for weights in module.parameters():
        torch.nn.init.constant_(weights, 0.5)
    pixels = torch.eye(side * side).reshape(-1, *(1, *shape[1:]) if len(shape) == 3 else shape)
    if len(shape) == 3:
        pixels = pixels * torch.arange(1.0, 5).view(-1, 1, 1)  # a softmax over equal channels would stay the same
    with torch.no_grad():
        changed = module(1 + 10 * pixels) != module(torch.ones(1, *shape))  # (a pixel each, *output)
    middle = tuple(length // 2 for length in changed.shape[2:]) if changed.ndim == 4 else ()
    everywhere = changed.any(1) if changed.ndim == 4 else changed[:, changed.shape[1] // 2]
    touched = everywhere[(slice(None), *middle)] if middle else everywhere
    reach = layer.reach(shape, CLASSES)
    if kind not in NOT_COUNTED:
        # a dilated kernel leaves pixels out: what counts is the side of the square they lie in
        rows = torch.nonzero(touched.reshape(side, side).any(1) if len(shape) == 3 else touched)
        span = int(rows.max() - rows.min()) + 1
        assert span == (side * (1 if len(shape) == 3 else side) if reach is None else reach[0])


@pytest.mark.parametrize("kind", layer_kinds.names())
def test_every_choice_is_typed_described_and_has_a_default(kind: str) -> None:
    layer = layer_kinds.get(kind)
    assert layer.title
    assert layer.help.endswith(".")
    assert layer() == layer_of(kind, {})
    for name, field in layer.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
        assert not field.is_required(), name
        number = field.annotation in (int, float)
        assert not number or len(field.metadata) >= 2, f"{name} has no range"


@pytest.mark.parametrize(("kind", "parameters"), CASES, ids=str)
def test_detail_is_short(kind: str, parameters: dict) -> None:
    assert len(layer_of(kind, parameters).detail(CLASSES)) < 40


@pytest.mark.parametrize("kind", layer_kinds.names())
def test_the_same_seed_builds_the_same_weights(kind: str) -> None:
    def weights() -> list[torch.Tensor]:
        torch.manual_seed(5)
        layer = layer_of(kind, {})
        shape = (prod((3, 8, 8)),) if kind == "linear" else (3, 8, 8)
        return list(layer.build(shape, CLASSES).state_dict().values())

    assert all(torch.equal(first, second) for first, second in zip(weights(), weights(), strict=True))
