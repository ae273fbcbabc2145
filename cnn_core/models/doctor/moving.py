"""Repairs at layers before the one that does not fit: what made the row, and what made the maps too small."""

from __future__ import annotations

from collections.abc import Sequence

from cnn_core.errors import PlaygroundError
from cnn_core.models.doctor.problem import REMOVE, Case
from cnn_core.models.doctor.reading import Node
from cnn_core.models.doctor.repair import Edit, Insert, Repair, Replace, Set
from cnn_core.models.doctor.sizes import Seen, named, noun
from cnn_core.models.doctor.traits import POOLS, SLIDING, TAKES_MAPS, TO_A_ROW
from cnn_core.models.layer import Layer, Shape, advance, called, describe
from cnn_core.models.tree import Layers


def needs_maps(node: Node) -> bool:
    """Whether it, or the first layer inside it for which it matters, takes maps."""
    return _decisive(node) == "maps"


def needs_row(node: Node) -> bool:
    return _decisive(node) == "row"


def _decisive(node: Node) -> str:
    if node.kind in TAKES_MAPS or node.kind == "linear":
        return "row" if node.kind == "linear" else "maps"
    inside = (next(filter(None, map(_decisive, nodes)), "") for nodes in node.lists)
    return next(filter(None, inside), "")


def sentence(row: Node, shape: Shape) -> str:
    return f"A row of {describe(shape)} comes in, because the {called(row.layer)} stands before it, but it takes maps."


def repairs(row: Node, nodes: Sequence[Node], position: int, layers: Layers) -> tuple[tuple[Repair, ...], bool]:
    """Repairs of a layer at `position` of its list that takes maps, though `row` before it has made a row of them, and
    whether the first one moves that behind it."""
    name, later = called(row.layer), list(enumerate(nodes))[position:]
    again = next((place for place, node in later if node.kind in TO_A_ROW), len(nodes))
    target = next((place for place, node in later if needs_row(node)), len(nodes))
    edits: list[Edit] = [Replace(row.path)]
    title = f"Remove the {name} before it"
    if moves := target < again or again == len(nodes):
        edits.append(Insert((*row.path[:-1], target - 1), (row.spec,)))
        before = f"before the {noun(nodes[target].layer)}" if target < len(nodes) else "to the end"
        title = f"Move the {name} {before}"
    return (Repair(title, tuple(edits), layers), REMOVE.repair(nodes[position], layers)), moves


def less_shrinking(case: Case, passed: Sequence[Seen], layers: Layers) -> tuple[Repair, ...]:
    """The nearest pooling removed, and the nearest convolution's step made 1, where the window of `case` fits then."""
    found = []
    pool = next((at for at in reversed(range(len(passed))) if passed[at].node.kind in POOLS), None)
    if pool is not None and _fits(case, passed[pool].before, [one.node.layer for one in passed[pool + 1 :]]):
        node = passed[pool].node
        found.append(Repair(f"Remove {named(node)}", (Replace(node.path),), layers))
    strided = (at for at in reversed(range(len(passed))) if _strided(passed[at].node))
    step = next(strided, None)
    if step is not None:
        node, after = passed[step].node, [one.node.layer for one in passed[step + 1 :]]
        if _fits(case, passed[step].before, [node.layer.model_copy(update={"stride": 1}), *after]):
            title = f"Set stride of {named(node)} to 1"
            found.append(Repair(title, (Set(node.path, {"stride": 1}),), layers))
    return tuple(found)


def _strided(node: Node) -> bool:
    return node.kind in SLIDING | {"residual"} and int(getattr(node.layer, "stride", 1)) > 1


def _fits(case: Case, shape: Shape, layers: Sequence[Layer]) -> bool:
    try:
        for layer in (*layers, case.layer):
            shape = advance(layer, shape, case.classes)
    except PlaygroundError:
        return False
    return True
