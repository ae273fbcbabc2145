"""Which maps and units of each operation are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from cnn_core.inspection.stage.graph import SOFTMAX, Node, consumers, flattened
from cnn_core.models.network import INPUT

Choice = Mapping[str, list[int]]  # address -> indices in rising order

MAPS = 10  # tiles in a column
UNITS = 96  # cells of a column of numbers
CLASSES = 10  # scores where there are more than ALL_CLASSES
ALL_CLASSES = 12


def choose(nodes: Sequence[Node], strengths: Mapping[str, Tensor], scores: Tensor, label: int | None = None) -> Choice:
    """All where they are few, else those that add most to the next layers with weights for this image; of the classes
    the most probable, and the true one `label`. Operations that share channels show the same maps.

    `strengths`: address of an operation with weights -> (O, I) contributions, by channel of what it takes (see
    `contributions`). `scores`: (classes,) logits.
    """
    moved: dict[str, Tensor] = {}
    for group, takers in consumers(nodes).items():
        sums = [strengths[node.address].abs().sum(0) / _largest(strengths[node.address]) for node in takers]
        moved[group] = sum(part for part in sums if len(part) == len(sums[0]))  # type: ignore[assignment]
    last = {node.address for node in nodes if node.kind == SOFTMAX or node.group == nodes[-1].group}
    by_address = {node.address: node for node in nodes}
    found: dict[str, list[int]] = {}
    for node in nodes:
        if node.address in last and len(node.shape) == 1:
            found[node.address] = _classes(scores, label)
        else:
            tiles = len(node.shape) == 3 or (node.kind == "linear" and flattened(node, by_address) == INPUT)
            most = MAPS if tiles else UNITS
            found[node.address] = _strongest(moved.get(node.group), node.shape[0], most)
    return found


def _largest(strengths: Tensor) -> Tensor:
    return strengths.abs().max().clamp_min(torch.finfo(torch.float32).tiny)


def _strongest(moved: Tensor | None, count: int, most: int) -> list[int]:
    if count <= most + 1:
        return list(range(count))
    if moved is None or len(moved) != count:
        return [place * count // most for place in range(most)]
    return sorted(torch.argsort(moved.nan_to_num(), descending=True, stable=True)[:most].tolist())


def _classes(scores: Tensor, label: int | None) -> list[int]:
    if len(scores) <= ALL_CLASSES:
        return list(range(len(scores)))
    first = torch.argsort(scores.nan_to_num(), descending=True, stable=True)[:CLASSES].tolist()
    if label is not None and label not in first:
        first[-1] = label
    return sorted(first)
