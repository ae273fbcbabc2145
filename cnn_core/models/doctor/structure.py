"""Networks that are empty, too deep inside each other or too long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cnn_core.models.doctor.finding import Finding
from cnn_core.models.doctor.problem import REMOVE, spec_of, times_in_words
from cnn_core.models.doctor.reading import Node
from cnn_core.models.doctor.repair import Append, Repair, Replace, Set
from cnn_core.models.doctor.traits import COMPOSITES
from cnn_core.models.layers import DEEPEST, MOST_OPERATIONS
from cnn_core.models.tree import Layers

HEAD = (spec_of("flatten"), spec_of("linear"))
SMALL = (spec_of("conv"), spec_of("relu"), spec_of("max_pool"), *HEAD)


def no_layers(layers: Layers) -> Finding:
    small = Repair("Start with a convolution, a ReLU, a pooling and a linear layer", (Append((), SMALL),), layers)
    plain = Repair("Start with a flatten and a linear layer", (Append((), HEAD),), layers)
    return Finding((), "error", "no_layers", "The network has no layers.", (small, plain))


def no_weights(layers: Layers) -> Finding:
    linear = Repair("Append a linear layer", (Append((), (spec_of("linear"),)),), layers)
    sentence = "The network has no weights to learn: it gives the same answers however long it is trained."
    return Finding((), "error", "no_weights", sentence, (linear,))


def nested_too_deep(nodes: Sequence[Node], layers: Layers) -> Iterator[Finding]:
    """Groups inside more groups than are allowed."""
    for node in nodes:
        if node.kind in COMPOSITES and len(node.path) // 2 >= DEEPEST:
            inside = next((tuple(one.spec for one in found) for found in node.lists if found), ())
            unwrap = Repair("Put the layers inside it in its place", (Replace(node.path, inside),), layers)
            sentence = f"It stands inside {len(node.path) // 2} other groups; at most {DEEPEST - 1} are allowed."
            yield Finding(node.path, "error", "nested_too_deep", sentence, (unwrap, REMOVE.repair(node, layers)))
        else:
            for found in node.lists:
                yield from nested_too_deep(found, layers)


def too_many_operations(nodes: Sequence[Node], layers: Layers) -> Finding | None:
    """More than are allowed, each counted as often as it is repeated."""
    counts = [operations(node) for node in nodes]
    total = sum(counts)
    if total <= MOST_OPERATIONS:
        return None
    node = nodes[counts.index(max(counts))]
    sentence = f"The network has {total:,} operations; at most {MOST_OPERATIONS:,} are allowed."
    left = MOST_OPERATIONS - total + max(counts)
    inner = node
    around = 1  # how often the inner one stands there
    while inner.kind == "repeat" and inner.lists[0]:
        times = int(getattr(inner.layer, "times", 1))
        fitting = left // around // (operations(inner) // times)
        if 1 <= fitting < times:
            fewer = Repair(f"Repeat it {times_in_words(fitting)}", (Set(inner.path, {"times": fitting}),), layers)
            return Finding(inner.path, "error", "too_many_operations", sentence, (fewer, REMOVE.repair(inner, layers)))
        around *= times
        inner = max(inner.lists[0], key=operations)
    if max(counts) > 1:
        return Finding(node.path, "error", "too_many_operations", sentence, (REMOVE.repair(node, layers),))
    kept = MOST_OPERATIONS - len(HEAD)
    rest = tuple(Replace((at,)) for at in range(len(nodes) - 1, kept - 1, -1))
    few = Repair(f"Keep the first {kept}, which leaves room for a head", rest, layers)
    return Finding(nodes[MOST_OPERATIONS].path, "error", "too_many_operations", sentence, (few,))


def operations(node: Node) -> int:
    """As `Layer.most_operations`, of what could be read."""
    if node.kind not in COMPOSITES:
        return node.layer.most_operations
    inside = sum(operations(one) for found in node.lists for one in found) + 1
    return inside * int(getattr(node.layer, "times", 1))
