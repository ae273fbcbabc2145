"""Random networks, most of which cannot work, for property tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from hypothesis import strategies as st
from torch import nn

from cnn_core.errors import PlaygroundError
from cnn_core.models.doctor.traits import COMPOSITES
from cnn_core.models.layers import Shape, layer_kinds, read_layers
from cnn_core.models.summary import shapes
from cnn_core.recipe import LayerSpec

NUMBERS = {
    "kernel": st.integers(1, 9),
    "stride": st.integers(1, 4),
    "padding": st.integers(0, 5),
    "channels": st.integers(1, 12),
    "features": st.integers(0, 12),
    "groups": st.integers(1, 6),
    "dilation": st.integers(1, 3),
    "size": st.integers(1, 5),
    "inputs": st.sampled_from([0, 0, 0, 10, 64]),
    "padding_mode": st.sampled_from(["zeros", "reflect", "replicate", "circular"]),
    "mode": st.sampled_from(["max", "average"]),
    "probability": st.sampled_from([0.0, 0.5]),
    "bias": st.booleans(),
}
NOT_READABLE = st.sampled_from(
    [
        LayerSpec(kind="conv2d", channels=4),
        LayerSpec(kind="???"),
        LayerSpec(kind="conv", kernel=99, stride=0),
        LayerSpec(kind="conv", filters=3),
        LayerSpec(kind="dropout", probability=1.0),
        LayerSpec(kind="linear", features="many"),
        LayerSpec(kind="repeat", times=0, layers=[{"kind": "relu"}]),
        LayerSpec(kind="repeat", layers=[{}]),
        LayerSpec(kind="branches", merge="divide"),
        LayerSpec(kind="branches", branches=[]),
        LayerSpec(kind="branches", branches=[[]] * 14),
        LayerSpec(kind="conv", channels=4096, padding=15, kernel=1),
        LayerSpec(kind="linear", features=16384),
    ]
)
PLAIN = [name for name in layer_kinds.names() if name not in COMPOSITES and name != "backbone"]


@st.composite
def plain(draw: st.DrawFn) -> LayerSpec:
    kind = draw(st.sampled_from(PLAIN))
    fields = layer_kinds.get(kind).model_fields
    chosen: dict[str, Any] = {name: draw(NUMBERS[name]) for name in fields if name in NUMBERS and draw(st.booleans())}
    return LayerSpec(kind=kind, **chosen)


def composite(layers: st.SearchStrategy[LayerSpec]) -> st.SearchStrategy[LayerSpec]:
    inside = st.lists(layers, max_size=3)
    merges = st.sampled_from(["concatenate", "add", "multiply"])
    repeats = st.builds(
        lambda times, found: LayerSpec(kind="repeat", times=times, layers=found), st.integers(1, 4), inside
    )
    branches = st.builds(
        lambda merge, found: LayerSpec(kind="branches", merge=merge, branches=found),
        merges,
        st.lists(inside, min_size=1, max_size=3),
    )
    return repeats | branches


layer = st.recursive(plain() | NOT_READABLE, composite, max_leaves=6)
readable = st.recursive(plain(), composite, max_leaves=6)
images = st.tuples(st.sampled_from([1, 3]), *[st.sampled_from([1, 4, 8, 11, 28])] * 2)


def refused(layers: Sequence[LayerSpec], images: Shape, classes: int, batch_size: int) -> str:
    """Why torch or the playground does not build, train or ask such a network; empty where it works. Shapes alone are
    computed, without the input stage, which needs numbers."""
    try:
        kinds = read_layers(layers)
        before = shapes(kinds, images, classes)
        with torch.device("meta"):
            network = nn.Sequential(*(layer.build(shape, classes) for layer, shape in zip(kinds, before, strict=False)))
            network.eval()(torch.zeros(1, *images))
            scores = network.train()(torch.zeros(batch_size, *images))
    except (PlaygroundError, RuntimeError, ValueError) as error:
        return str(error) or type(error).__name__
    if not any(True for _ in network.parameters()):
        return "no weights"
    return "" if scores.shape == (batch_size, classes) else f"scores of {tuple(scores.shape)}"
