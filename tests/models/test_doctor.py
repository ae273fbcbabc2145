"""The doctor as a whole: everything at once, in order, each repair by itself and all together."""

import pickle

import pytest
import torch
from torch import nn

from cnn_core.errors import PlaygroundError
from cnn_core.models import editing
from cnn_core.models.doctor import Finding, examine, repair_all
from cnn_core.models.doctor.traits import (
    ACTIVATIONS,
    BLOCKS,
    COMPOSITES,
    DROPOUTS,
    LINEAR_MAPS,
    NORMS,
    POOLS,
    TAKES_MAPS,
    TO_A_ROW,
)
from cnn_core.models.layers import layer_kinds
from cnn_core.models.preset import Layers, layer
from cnn_core.models.presets import network_presets
from tests.models.layer_lists import refused

SIMPLE = network_presets.get("simple_cnn").layers
PRINTED = editing.set_parameters(SIMPLE, (10,), inputs=1024)  # for 32×32, while the tutorial resizes to 128×128
HEAD = (layer("flatten"), layer("linear"))


def errors(found: list[Finding]) -> list[Finding]:
    return [one for one in found if one.severity == "error"]


def test_the_printed_128_pixel_network_has_exactly_its_one_mistake() -> None:
    (found,) = examine(PRINTED, (3, 128, 128), 10)
    assert (found.severity, found.code, found.path) == ("error", "linear_inputs", (10,))
    assert found.sentence == (
        "16,384 numbers come in, 64 maps of 16×16, but it expects 1,024, which are 64 maps of 4×4, as 32×32 images "
        "give them."
    )
    assert found.image_size == 32
    first, second = found.repairs
    assert first.title == "Let it take the 16,384 numbers that come in"
    assert first.layers == editing.set_parameters(SIMPLE, (10,), inputs=0)
    assert second.title == "Insert an adaptive average pooling to 4×4 before the flatten"
    assert second.layers == editing.insert(PRINTED, (9,), layer("adaptive_avg_pool", size=4))
    for repair in found.repairs:
        assert errors(examine(repair.layers, (3, 128, 128), 10)) == []
    assert examine(PRINTED, (3, 32, 32), 10) == []


@pytest.mark.parametrize("side", [32, 33, 39])
def test_the_image_size_it_names_is_the_least_that_fits(side: int) -> None:
    assert examine(PRINTED, (3, side, side), 10) == []


@pytest.mark.parametrize(
    ("inputs", "size"),
    [(64, 8), (64 * 9, 24), (64 * 4 * 3, 0), (1000, 0), (64 * 33 * 33, 0)],
    ids=["1×1", "3×3", "not square", "not of 64 maps", "beyond the largest image"],
)
def test_expected_inputs_are_named_as_images_where_they_are_some(inputs: int, size: int) -> None:
    (found, *_) = examine(editing.set_parameters(SIMPLE, (10,), inputs=inputs), (3, 128, 128), 10)
    assert (found.code, found.image_size) == ("linear_inputs", size)
    assert (f"{size}×{size} images" in found.sentence) == bool(size)


def test_everything_is_found_at_once_and_in_order() -> None:
    layers = (
        layer("conv", channels=8, kernel=40, padding=15, bias=False),
        layer("batch_norm"),
        layer("max_pool", kernel=3, padding=2),
        layer("konv", channels=12),
        layer("relu"),
        layer("group_norm", groups=7),
        layer("branches", merge="add", branches=[[layer("conv", channels=16, stride=2)], []]),
        layer("linear", features=40),
        layer("conv"),
        layer("linear", features=3),
        layer("softmax"),
    )
    found = examine(layers, (3, 28, 28), 10)
    assert [(one.path, one.code) for one in found] == [
        ((0,), "unreadable_parameter"),
        ((2,), "pool_padding"),
        ((3,), "unknown_kind"),
        ((5,), "norm_groups_do_not_divide"),
        ((6,), "branches_do_not_match"),
        ((7,), "linear_on_maps"),
        ((8,), "maps_layer_on_row"),
        ((9,), "head_size"),
        ((10,), "softmax_before_loss"),
    ]
    assert refused(repair_all(layers, (3, 28, 28), 10), (3, 28, 28), 10, 128) == ""


def test_what_follows_a_mistake_is_not_blamed_for_it() -> None:
    """Each layer would fit, were the first one mended."""
    layers = (layer("conv", kernel=31, padding=0), layer("relu"), *[layer("max_pool")] * 3, *HEAD)
    assert [(one.path, one.code) for one in examine(layers, (3, 28, 28), 10)] == [((0,), "kernel_too_large")]


def test_a_moved_flatten_is_enough_for_all_that_follow_it() -> None:
    layers = (layer("flatten"), *[layer("conv"), layer("relu"), layer("max_pool")] * 2, layer("linear"))
    (found,) = examine(layers, (3, 28, 28), 10)
    assert found.repairs[0].layers == (*layers[1:7], *HEAD)


def test_a_flatten_before_branches_that_take_maps_is_moved_behind_them() -> None:
    inception = layer("branches", branches=[[layer("conv")], [layer("max_pool", kernel=3, stride=1, padding=1)]])
    (found,) = examine((layer("flatten"), inception, layer("relu"), layer("linear")), (3, 28, 28), 10)
    assert (found.code, found.path) == ("maps_layer_on_row", (1,))
    assert found.repairs[0].layers == (inception, layer("relu"), *HEAD)


def test_what_shrinks_too_much_is_named_where_less_of_it_helps() -> None:
    layers = (
        layer("conv", stride=4),
        layer("relu"),
        layer("max_pool"),
        layer("conv", kernel=5, padding=0),
        layer("relu"),
        *HEAD,
    )
    (found,) = examine(layers, (3, 28, 28), 10)
    assert found.sentence == "16 maps of 3×3 come in: its 5×5 kernel does not fit."
    assert [repair.title for repair in found.repairs] == [
        "Set padding to 2",
        "Set kernel to 3",
        "Remove layer 3 (max pooling)",
        "Set stride of layer 1 (convolution) to 1",
        "Remove it",
    ]
    assert all(refused(repair.layers, (3, 28, 28), 10, 2) == "" for repair in found.repairs)


def test_a_change_of_classes_is_mended_at_the_head() -> None:
    layers = editing.set_parameters(SIMPLE, (12,), features=10)
    (found,) = examine(layers, (3, 32, 32), 7)
    assert found.sentence == "It gives 10 numbers, but there are 7 classes and each needs one score."
    assert examine(found.repairs[0].layers, (3, 32, 32), 7) == []


def test_a_finding_of_a_repeated_layer_is_reported_once() -> None:
    group = layer("repeat", times=5, layers=[layer("conv", groups=5, channels=15), layer("relu")])
    found = examine((group, *HEAD), (3, 28, 28), 10)
    assert [(one.path, one.code) for one in found] == [((0, 0, 0), "groups_do_not_divide")]


def test_findings_are_plain_values() -> None:
    found = examine(PRINTED, (3, 128, 128), 10)
    assert pickle.loads(pickle.dumps(found)) == found
    assert found == examine(PRINTED, (3, 128, 128), 10)


def test_what_works_stays_as_it_is() -> None:
    assert repair_all(SIMPLE, (3, 32, 32), 10) == SIMPLE


def test_a_kind_the_doctor_does_not_know_is_refused_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule of a layer that no check of the doctor covers."""

    def refuse(*_: object) -> None:
        raise PlaygroundError("it takes nothing today. Come again tomorrow.")

    monkeypatch.setattr(layer_kinds.get("tanh"), "output_shape", refuse)
    (found,) = examine((layer("tanh"), *HEAD), (3, 8, 8), 10)
    assert (found.code, found.sentence) == ("does_not_fit", "It takes nothing today. Come again tomorrow.")
    assert found.repairs[0].layers == HEAD


def test_every_kind_is_known_to_be_something() -> None:
    """A new kind needs its line in `traits`, or advice about it is wrong."""
    known = (
        ACTIVATIONS | BLOCKS | COMPOSITES | DROPOUTS | LINEAR_MAPS | NORMS | POOLS | TO_A_ROW | {"adaptive_avg_pool"}
    )
    assert set(layer_kinds.names()) - {"backbone"} == known - {"backbone"}


@pytest.mark.parametrize("kind", [name for name in layer_kinds.names() if name not in COMPOSITES | {"backbone"}])
def test_what_takes_maps_is_what_refuses_a_row(kind: str) -> None:
    found = errors(examine((layer("flatten"), layer("linear", features=16), layer(kind), *HEAD), (3, 28, 28), 10))
    assert [one.code for one in found] == (["maps_layer_on_row"] if kind in TAKES_MAPS else [])


@pytest.mark.parametrize("kind", sorted(LINEAR_MAPS | ACTIVATIONS | POOLS | {"adaptive_avg_pool", "flatten"}))
def test_what_bends_is_what_is_not_additive(kind: str) -> None:
    """f(a + b) - f(0) is f(a) + f(b) - 2·f(0) for weighted sums alone."""
    from cnn_core.models.doctor.traits import bends

    one = layer_kinds.get(kind)()
    shape = (4 * 6 * 6,) if kind == "linear" else (4, 6, 6)
    module: nn.Module = one.build(shape, 10).double().eval()
    a, b = torch.randn(2, 1, *shape).double() * 3
    zero = module(torch.zeros_like(a))
    additive = torch.allclose(module(a + b) - zero, module(a) + module(b) - 2 * zero)
    assert additive != bends(one)


def test_a_hopeless_network_ends_as_one_that_works() -> None:
    junk: Layers = tuple(layer("???") for _ in range(300))
    assert refused(repair_all(junk, (1, 1, 1), 10), (1, 1, 1), 10, 128) == ""


def test_very_long_networks_are_cut_and_not_walked_through() -> None:
    inside = layer("repeat", times=32, layers=[layer("repeat", times=32, layers=[layer("relu")] * 9)])
    layers = (layer("repeat", times=32, layers=[inside]), *HEAD)
    assert [one.code for one in examine(layers, (1, 8, 8), 10)] == ["too_many_operations"]
    assert refused(repair_all(layers, (1, 8, 8), 10), (1, 8, 8), 10, 128) == ""
    flat = (*[layer("relu")] * 1200, *HEAD)
    assert refused(repair_all(flat, (1, 8, 8), 10), (1, 8, 8), 10, 128) == ""
