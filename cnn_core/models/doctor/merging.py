"""Branches whose outputs cannot be merged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cnn_core.errors import PlaygroundError
from cnn_core.models.composite import MOST_BRANCHES, Branches
from cnn_core.models.doctor.problem import REMOVE, Fix, Problem, spec_of
from cnn_core.models.doctor.reading import Node
from cnn_core.models.doctor.repair import Append, Repair, Replace, Set
from cnn_core.models.doctor.sizes import WIDTHS, named, noun
from cnn_core.models.doctor.traits import POOLS, SLIDING
from cnn_core.models.layer import Layer, Shape, advance, describe, layer_kinds
from cnn_core.models.summary import MOST_PARAMETERS
from cnn_core.models.tree import with_children
from cnn_core.recipe import LayerSpec

if TYPE_CHECKING:
    from cnn_core.models.doctor.walk import Walk

__all__ = ["MOST_BRANCHES", "merge", "number_of_branches"]

MERGED = {"concatenate": "concatenated", "add": "added", "multiply": "multiplied"}
LARGEST_POOLED, LARGEST_WINDOW, LARGEST_STEP = 64, 31, 16  # what the kinds allow
MOST_CHANNELS, MOST_FEATURES = 4096, 16384


def number_of_branches(node: Node) -> Problem | None:
    count = len(node.lists)
    if 1 <= count <= MOST_BRANCHES:
        return None
    first = spec_of("branches", **node.spec.parameters | {"branches": node.spec.parameters["branches"][:MOST_BRANCHES]})
    keep = Fix(f"Keep the first {MOST_BRANCHES}", instead=(first,))
    sentence = f"It has {count} branches; it can have 1 to {MOST_BRANCHES}."
    return Problem("number_of_branches", sentence, (keep, REMOVE) if count else (REMOVE,))


def merge(walk: Walk, node: Node, shape: Shape, outputs: Sequence[Shape]) -> Shape:
    """What branches that give `outputs` for an input of `shape` give together; those that do not match are reported,
    and what comes out is as if the first repair of each were made."""
    layer = node.layer
    assert isinstance(layer, Branches)
    try:
        return layer.merged(outputs)
    except PlaygroundError:
        pass
    wanted = _wanted(layer.merge, node, shape, outputs)
    merged = []
    for which, (output, goal) in enumerate(zip(outputs, wanted, strict=True)):
        if output == goal:
            merged.append(goal)
            continue
        sentence = (
            f"Branch {which + 1} gives {describe(output)}, but {describe(goal)} are needed: what is "
            f"{MERGED[layer.merge]} must be of one {'size' if layer.merge == 'concatenate' else 'shape'}."
        )
        repairs = list(_repairs(walk, node, which, shape, output, goal))
        walk.report(node.path, "branches_do_not_match", sentence, repairs, which=which)
        if repairs[0].title != _drop(walk, node, which).title:
            merged.append(goal)
    return layer.merged(merged) if merged else shape


def _wanted(merge: str, node: Node, shape: Shape, outputs: Sequence[Shape]) -> list[Shape]:
    """What each branch has to give for all to match."""
    maps = [output for output in outputs if len(output) == 3]
    if merge == "concatenate":
        if len(maps) < len(outputs):
            return [output[:1] for output in outputs]
        sizes = Counter(output[1:] for output in maps)
        size = max(sizes, key=lambda one: (sizes[one], one == shape[1:]))
        return [(output[0], *size) for output in outputs]
    lengths = [len(nodes) for nodes in node.lists[: len(outputs)]]
    mixed = 0 < len(maps) < len(outputs)
    leading = [at for at, output in enumerate(outputs) if len(output) == 3] if mixed else range(len(outputs))
    if mixed and merge == "add":
        leading = [at for at, output in enumerate(outputs) if len(output) == 1]
    target = outputs[max(leading, key=lambda at: lengths[at])]
    gates = merge == "multiply"
    return [target[:1] if gates and len(output) == 1 else target for output in outputs]


def _repairs(walk: Walk, node: Node, which: int, shape: Shape, output: Shape, goal: Shape) -> Iterator[Repair]:
    yield from _other_parameters(walk, node.lists[which], shape, goal)
    specs = _bridge(output, goal)
    if specs:
        what = " and a ".join(_named(spec) for spec in specs)
        yield Repair(f"Append a {what} to branch {which + 1}", (Append((*node.path, which), specs),), walk.layers)
    if len(node.lists) > 1:
        yield _drop(walk, node, which)
    yield REMOVE.repair(node, walk.layers)


def _drop(walk: Walk, node: Node, which: int) -> Repair:
    others = [nodes for at, nodes in enumerate(node.lists) if at != which]
    less = with_children(node.spec, [tuple(one.spec for one in nodes) for nodes in others])
    return Repair(f"Remove branch {which + 1}", (Replace(node.path, (less,)),), walk.layers)


def _other_parameters(walk: Walk, nodes: Sequence[Node], shape: Shape, goal: Shape) -> Iterator[Repair]:
    """Each change of one parameter of one layer that makes a branch give `goal`, from its end to its beginning."""
    for at in reversed(range(len(nodes))):
        node = nodes[at]
        for name, value in _choices(node, goal):
            changed = node.layer.model_copy(update={name: value})
            layers = [*(one.layer for one in nodes[:at]), changed, *(one.layer for one in nodes[at + 1 :])]
            if _gives(layers, shape, goal, walk.classes):
                title = f"Set {name} of {named(node)} to {value}"
                yield Repair(title, (Set(node.path, {name: value}),), walk.layers)


def _gives(layers: Sequence[Layer], shape: Shape, goal: Shape, classes: int) -> bool:
    try:
        for layer in layers:
            if layer.parameters(shape, classes) > MOST_PARAMETERS:
                return False
            shape = advance(layer, shape, classes)
    except PlaygroundError:
        return False
    return shape == goal


def _choices(node: Node, goal: Shape) -> Iterator[tuple[str, int]]:
    layer = node.layer
    if node.kind in SLIDING | POOLS:
        half = int(getattr(layer, "dilation", 1)) * (int(getattr(layer, "kernel", 1)) - 1) // 2
        yield from (("padding", half),) if half <= 15 else ()
    if node.kind in SLIDING | POOLS | {"residual"}:
        yield from (("stride", step) for step in (1, 2) if step != getattr(layer, "stride", 0))
    most = MOST_FEATURES if node.kind == "linear" else MOST_CHANNELS
    if node.kind in WIDTHS and goal[0] <= most:
        yield WIDTHS[node.kind], goal[0]


def _bridge(output: Shape, goal: Shape) -> tuple[LayerSpec, ...]:
    """Layers that make `goal` of `output`; none where there are none."""
    if goal[0] > (MOST_FEATURES if len(goal) == 1 else MOST_CHANNELS) and goal[0] != output[0]:
        return ()
    if len(goal) == 1:
        pool = (spec_of("global_pool"),) if len(output) == 3 else ()
        return (*pool, *((spec_of("linear", features=goal[0]),) if output[0] != goal[0] else ()))
    channels, sides, targets = goal[0], output[1:], goal[1:]
    across = (spec_of("pointwise", channels=channels),) if output[0] != channels else ()
    if sides == targets:
        return across
    for step in range(2, LARGEST_STEP + 1):
        if across and all((side - 1) // step + 1 == target for side, target in zip(sides, targets, strict=True)):
            return (spec_of("conv", channels=channels, kernel=1, stride=step, padding=0),)
        if not across and all(side // step == target for side, target in zip(sides, targets, strict=True)):
            return (spec_of("max_pool", kernel=step),)
    more = sides[0] - targets[0]
    if 0 < more == sides[1] - targets[1] and more < LARGEST_WINDOW:
        return (spec_of("avg_pool", kernel=more + 1, stride=1), *across)
    if targets[0] == targets[1] <= LARGEST_POOLED:
        return (spec_of("adaptive_avg_pool", size=targets[0]), *across)
    return ()


def _named(spec: LayerSpec) -> str:
    layer = layer_kinds.get(spec.kind).model_validate(spec.parameters)
    return f"{noun(layer)} ({layer.detail(0)})" if layer.detail(0) else noun(layer)
