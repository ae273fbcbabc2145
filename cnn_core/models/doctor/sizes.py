"""More numbers or parameters than a computer has memory for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

from cnn_core.errors import PlaygroundError
from cnn_core.models.doctor.problem import REMOVE, Case, Fix, Problem
from cnn_core.models.doctor.reading import Node
from cnn_core.models.doctor.repair import Repair, Replace, Set
from cnn_core.models.layer import MOST_NUMBERS, Layer, Shape, called
from cnn_core.models.summary import MOST_PARAMETERS
from cnn_core.models.tree import Layers
from cnn_core.recipe import LayerSpec

WIDTHS = {
    **dict.fromkeys(("conv", "pointwise", "depthwise_separable", "residual"), "channels"),
    "linear": "features",
}


@dataclass(frozen=True)
class Seen:
    """One layer, once for each time it stands there."""

    node: Node
    before: Shape
    after: Shape
    parameters: int

    @property
    def width(self) -> int:
        """Channels or features it was given; 0 where there are none to give, or none were."""
        return int(getattr(self.node.layer, WIDTHS.get(self.node.kind, ""), 0))


def too_many_numbers(case: Case) -> Problem | None:
    try:
        shape = case.layer.output_shape(case.shape, case.classes)
    except PlaygroundError:
        return None
    if prod(shape) <= MOST_NUMBERS:
        return None
    name, most = WIDTHS.get(case.layer.kind, ""), MOST_NUMBERS // prod(shape[1:])
    narrow = (Fix(f"Set {name} to {_round(most)}", {name: _round(most)}),) if name and most else ()
    return Problem("too_many_numbers", numbers_sentence(shape), (*narrow, REMOVE))


def numbers_sentence(shape: Shape) -> str:
    return f"It would make {prod(shape):,} numbers of one image; at most {MOST_NUMBERS:,} are allowed."


def too_many_parameters(seen: Sequence[Seen], row: Node | None, layers: Layers) -> tuple[Repair, ...]:
    """Repairs of a network whose layers so far, the last one included, have too many. `row` is what made the row that
    the last one takes, where it took maps."""
    here, largest = seen[-1].node, max(reversed(seen), key=lambda one: one.parameters).node
    flattens = [one.node for one in sorted(seen, key=lambda one: -prod(one.after)) if one.node.kind == "flatten"]
    flatten = row if row is not None and row.kind == "flatten" else next(iter(flattens), None)
    found = [*_narrower(seen, layers)]
    if flatten is not None:
        pool = Replace(flatten.path, (LayerSpec(kind="global_pool"),))
        found.insert(0 if seen[-1].width <= 1 else 1, Repair("Make the flatten a global pooling", (pool,), layers))
    if largest.path != here.path:
        title = f"Remove {named(largest)}"
        found.append(Repair(title, (Replace(largest.path),), layers))
    head = here.path == (len(layers) - 1,) and here.kind == "linear" and not seen[-1].width
    if head and len(layers) > 1:  # a network without it would be given it again
        return (*found, Repair("Remove the layer before it", (Replace((len(layers) - 2,)),), layers))
    return (*found, REMOVE.repair(here, layers))


def _narrower(seen: Sequence[Seen], layers: Layers) -> Iterator[Repair]:
    """Fewer channels or features of the layer with most parameters among those that have a number of them."""
    wide = [one for one in seen if one.width > 1]
    if not wide:
        return
    largest = max(reversed(wide), key=lambda one: one.parameters)
    over = sum(one.parameters for one in seen) - MOST_PARAMETERS
    left = max(0, largest.parameters - over) / largest.parameters
    width, name = max(1, _round(int(largest.width * left))), WIDTHS[largest.node.kind]
    where = "" if largest.node.path == seen[-1].node.path else f" of {named(largest.node)}"
    yield Repair(f"Set {name}{where} to {width}", (Set(largest.node.path, {name: width}),), layers)


def parameters_sentence(seen: Sequence[Seen]) -> str:
    return (
        f"It has {seen[-1].parameters:,} parameters, with which the network has "
        f"{sum(one.parameters for one in seen):,}; at most {MOST_PARAMETERS:,} are allowed."
    )


def named(node: Node) -> str:
    """For people, counted from 1: "layer 5 (convolution)", or "layer 5.2.1 (ReLU)" inside a group."""
    return f"layer {'.'.join(str(number + 1) for number in node.path)} ({called(node.layer)})"


def noun(layer: Layer) -> str:
    return "linear layer" if layer.kind == "linear" else called(layer)


def _round(number: int) -> int:
    """The largest power of two up to it: as widths are chosen; 0 of 0."""
    return 1 << (number.bit_length() - 1) if number else 0
