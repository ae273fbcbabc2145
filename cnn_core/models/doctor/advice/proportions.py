"""Too little of the image seen, too much in one layer, too many sigmoids in a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from cnn_core.errors import PlaygroundError
from cnn_core.models.doctor.advice.advised import Advised
from cnn_core.models.doctor.problem import spec_of
from cnn_core.models.doctor.reading import Node
from cnn_core.models.doctor.repair import Edit, Insert, Replace, Set
from cnn_core.models.doctor.sizes import Seen, named
from cnn_core.models.doctor.traits import BLOCKS, COMPOSITES, LINEAR_MAPS
from cnn_core.models.layer import Layer, Shape, advance, layer_kinds
from cnn_core.models.tree import Path

SMALL = 1 / 3  # of the image's side, for a receptive field
LARGE, MANY = 0.8, 250_000  # share of all parameters in one linear layer, and how many that must be
MOST_SIGMOIDS = 8  # 0.25 to the power of 8 is 0.000015
POOLED = 4  # side of maps that keep roughly where something is


def small_field(top: Sequence[Seen], classes: int, advised: Advised) -> None:
    """At global pooling each number has seen `field` pixels only, and the mean of them all forgets where they were."""
    field, jump, at = 1, 1, 0
    while at < len(top) and (reach := _reach(top[at], classes)) is not None:
        field, jump, at = field + (reach[0] - 1) * jump, jump * reach[1], at + 1
    if at == len(top):
        return
    pool, side = top[at], min(top[0].before[1:])
    pools = pool.node.kind == "global_pool" or (pool.node.kind == "adaptive_avg_pool" and pool.after[1:] == (1, 1))
    if not pools or field >= SMALL * side or prod(pool.before[1:]) == 1:
        return
    if repairs := list(_seeing_more(top, at, classes)):
        advised.add(
            pool.node.path,
            "small_receptive_field",
            f"Each number that it pools has seen {field}×{field} pixels of images of {top[0].before[1]}×"
            f"{top[0].before[2]}, so the network knows small patterns and not how they lie to each other.",
            *repairs,
        )


def _seeing_more(top: Sequence[Seen], at: int, classes: int) -> Iterator[tuple[str, list[Edit]]]:
    """Larger receptive fields before the pooling at a position, or less of it."""
    pool = top[at]
    if (later := _doubling(top[: at + 1], classes)) is not None:
        title = f"Insert a max pooling before {named(later.node)}"
        yield title, [Insert(later.node.path, (spec_of("max_pool"),))]
    if any(getattr(one.node.layer, "inputs", 0) for one in top[at + 1 :]):
        return
    if pool.node.kind == "adaptive_avg_pool":
        yield f"Set size to {POOLED}, which keeps roughly where things are", [Set(pool.node.path, {"size": POOLED})]
    elif prod(pool.before) * classes < 10 * MANY:
        yield "Make it a flatten, which keeps where things are", [Replace(pool.node.path, (spec_of("flatten"),))]


def _reach(seen: Seen, classes: int) -> tuple[int, int] | None:
    try:
        return seen.node.layer.reach(seen.before, classes)
    except (PlaygroundError, ValueError):  # something in it does not fit, which is an error of its own
        return None


def _doubling(top: Sequence[Seen], classes: int) -> Seen | None:
    """The first layer with weights and a window, not counting the very first, before which maps may be halved."""
    weighted = LINEAR_MAPS | BLOCKS | COMPOSITES
    windows = [
        at
        for at, seen in enumerate(top[:-1])
        if seen.node.kind in weighted and (_reach(seen, classes) or (1, 1))[0] > 1
    ]
    for at in windows[1:]:
        halving: Layer = layer_kinds.get("max_pool")()
        if _fits([halving, *(seen.node.layer for seen in top[at:])], top[at].before, classes):
            return top[at]
    return None


def _fits(layers: Sequence[Layer], shape: Shape, classes: int) -> bool:
    try:
        for layer in layers:
            shape = advance(layer, shape, classes)
    except PlaygroundError:
        return False
    return True


def one_large_layer(seen: Sequence[Seen], images: Shape, advised: Advised) -> None:
    """Most of all parameters in one linear layer. Of networks that flatten the image itself it is not said: they have
    no other way."""
    largest = max(seen, key=lambda one: one.parameters, default=None)
    total = sum(one.parameters for one in seen)
    if largest is None or largest.node.kind != "linear" or largest.parameters < max(MANY, LARGE * total):
        return
    if not any(one.node.kind in LINEAR_MAPS and one is not largest for one in seen):
        return
    flatten = _flatten_before(largest, seen)
    if flatten is not None and flatten.before == images:
        return
    advised.add(
        largest.node.path,
        "parameters_in_one_layer",
        f"{largest.parameters:,} parameters, {100 * largest.parameters // total}% of all, lie in this layer, which can "
        "then learn the training images by heart.",
        *_smaller(largest, flatten),
    )


def _flatten_before(linear: Seen, seen: Sequence[Seen]) -> Seen | None:
    """What flattened the maps that come in, in the same list."""
    earlier = seen[: list(seen).index(linear)]
    for one in reversed(earlier):
        if one.node.path[:-1] != linear.node.path[:-1] or one.node.kind == "linear":
            return None
        if one.node.kind == "flatten" and len(one.before) == 3:
            return one
    return None


def _smaller(linear: Seen, flatten: Seen | None) -> list[tuple[str, list[Edit]]]:
    if flatten is None:
        half = max(1, linear.after[0] // 2)
        return [(f"Set features to {half}", [Set(linear.node.path, {"features": half})])]
    any_size: list[Edit] = [Set(linear.node.path, {"inputs": 0})] if getattr(linear.node.layer, "inputs", 0) else []
    pool = Insert(flatten.node.path, (spec_of("adaptive_avg_pool", size=POOLED),))
    title = f"Insert an adaptive average pooling to {POOLED}×{POOLED} before the flatten"
    pooled = [(title, [*any_size, pool])] if min(flatten.before[1:]) > POOLED else []
    pools: list[Edit] = [*any_size, Replace(flatten.node.path, (spec_of("global_pool"),))]
    return [*pooled, ("Make the flatten a global pooling", pools)]


def many_sigmoids(nodes: Sequence[Node], advised: Advised) -> None:
    """On the way with the fewest, one on the scores not counted: branches that go round them let the gradient pass."""
    while nodes and nodes[-1].kind == "sigmoid":
        nodes = nodes[:-1]
    found = _sigmoids(nodes)
    if len(found) <= MOST_SIGMOIDS:
        return
    advised.add(
        found[MOST_SIGMOIDS],
        "many_sigmoids",
        f"{len(found)} sigmoids stand one behind the other. The slope of each is at most ¼, so that next to nothing of "
        "the gradient reaches the first layers.",
        ("Make all of them ReLUs", [Replace(path, (spec_of("relu"),)) for path in dict.fromkeys(found)]),
    )


def _sigmoids(nodes: Sequence[Node]) -> list[Path]:
    found: list[Path] = []
    for node in nodes:
        if node.kind == "sigmoid":
            found.append(node.path)
        elif node.kind == "repeat":
            found += _sigmoids(node.lists[0]) * int(getattr(node.layer, "times", 1))
        elif node.lists:
            ways = sorted((_sigmoids(branch) for branch in node.lists), key=lambda way: len(way))
            found += ways[0]
    return found
