"""The end of a network: one score a class."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

from cnn_core.models.doctor.problem import spec_of
from cnn_core.models.doctor.reading import Node
from cnn_core.models.doctor.repair import Append, Repair, Set
from cnn_core.models.doctor.sizes import named
from cnn_core.models.doctor.traits import ACTIVATIONS, DROPOUTS, NORMS, POOLS
from cnn_core.models.layer import Shape, describe
from cnn_core.models.summary import MOST_PARAMETERS

if TYPE_CHECKING:
    from cnn_core.models.doctor.walk import Walk

SAME = ACTIVATIONS | DROPOUTS | NORMS  # what comes in comes out, as far as shapes go
TO_SCORES = SAME | POOLS | {"global_pool", "adaptive_avg_pool"}  # after a convolution that has one map a class
LINEAR = spec_of("linear")


def examine_head(walk: Walk, nodes: Sequence[Node], shape: Shape) -> None:
    """Report an end of another shape than one score a class."""
    if shape == (walk.classes,):
        return
    needed = f"but there are {walk.classes} classes and each needs one score"
    last = next((node for node in reversed(nodes) if node.kind not in SAME), nodes[-1])
    append = Repair("Append a linear layer of one score a class", (Append((), (LINEAR,)),), walk.layers)
    if last.kind == "linear":
        one_each = Repair("Set features to 0, which is one a class", (Set(last.path, {"features": 0}),), walk.layers)
        walk.report(last.path, "head_size", f"It gives {describe(shape)}, {needed}.", (one_each, append))
        return
    sentence = f"The network ends in {describe(shape)}, {needed}."
    if len(shape) == 1:
        walk.report(nodes[-1].path, "no_head", sentence, (append, *_as_many_maps(walk, nodes)))
        return
    pooled, flat = (
        Repair(f"Append a {title} and a linear layer", (Append((), (spec_of(kind), LINEAR)),), walk.layers)
        for title, kind in (("global pooling", "global_pool"), ("flatten", "flatten"))
    )
    large = prod(shape) * walk.classes > MOST_PARAMETERS // 2
    walk.report(nodes[-1].path, "no_head", sentence, (pooled, flat) if large else (flat, pooled))


def _as_many_maps(walk: Walk, nodes: Sequence[Node]) -> tuple[Repair, ...]:
    """The last convolution with one map a class, where nothing but pooling makes the scores of them."""
    last = next((node for node in reversed(nodes) if node.kind not in TO_SCORES), None)
    if last is None or last.kind not in ("conv", "pointwise", "depthwise_separable"):
        return ()
    title = f"Set channels of {named(last)} to {walk.classes}, one map a class"
    return (Repair(title, (Set(last.path, {"channels": walk.classes}),), walk.layers),)
