"""Any network is either built, or refused with repairs that make it one that is."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_core.models.doctor import examine, repair_all
from cnn_core.models.layers import Shape, read_layers
from cnn_core.models.network import build
from cnn_core.models.summary import shapes
from cnn_core.recipe import LayerSpec
from tests.models import layer_lists
from tests.models.layer_lists import refused

SMALL = 100_000  # parameters: built with real numbers too


@settings(max_examples=300, deadline=None)
@given(
    layers=st.lists(layer_lists.layer, max_size=8),
    shape=layer_lists.images,
    classes=st.integers(1, 12),
    batch_size=st.sampled_from([1, 2, 128]),
)
def test_any_network_is_built_or_repaired(layers: list[LayerSpec], shape: Shape, classes: int, batch_size: int) -> None:
    errors = [one for one in examine(layers, shape, classes, batch_size) if one.severity == "error"]
    why = refused(tuple(layers), shape, classes, batch_size)
    assert bool(errors) == bool(why), (errors, why)
    assert all(one.repairs and one.sentence.endswith(".") for one in errors)
    repaired = repair_all(layers, shape, classes, batch_size)
    assert refused(repaired, shape, classes, batch_size) == ""
    kinds = read_layers(repaired)
    before = shapes(kinds, shape, classes)
    if sum(kind.parameters(one, classes) for kind, one in zip(kinds, before, strict=False)) < SMALL:
        assert build(repaired, shape, classes).eval()(torch.zeros(1, *shape)).shape == (1, classes)
