"""The shapes on the way through a network, also through one that does not fit together."""

from __future__ import annotations

from collections.abc import Sequence

from cnn_core.models.doctor.examination import BATCH_SIZE
from cnn_core.models.doctor.reading import Reader
from cnn_core.models.doctor.walk import Walk
from cnn_core.models.layer import Shape
from cnn_core.models.tree import Path
from cnn_core.recipe import LayerSpec


def passing(layers: Sequence[LayerSpec], input_shape: Shape, classes: int) -> dict[Path, tuple[Shape, Shape]]:
    """Path of a layer -> what comes in and what goes out, in a repeated group the first time. After a layer that does
    not fit, what comes out of its first repair goes on. Layers that hold others are there in the network's own list
    only."""
    nodes = Reader(tuple(layers)).nodes(tuple(layers))
    walk = Walk(tuple(layers), tuple(input_shape), classes, BATCH_SIZE)
    walk.chain(nodes, tuple(input_shape))
    found: dict[Path, tuple[Shape, Shape]] = {}
    for seen in (*walk.seen, *walk.top):
        found.setdefault(seen.node.path, (seen.before, seen.after))
    return found
