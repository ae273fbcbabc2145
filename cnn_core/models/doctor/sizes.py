"""More numbers or parameters than a computer has memory for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from cnn_core.errors import PlaygroundError
from cnn_core.models.doctor.problem import REMOVE, Case, Fix, Problem
from cnn_core.models.doctor.reading import Node
from cnn_core.models.doctor.repair import Repair, Replace, Set
from cnn_core.models.layer import MOST_NUMBERS, Shape, called
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
    here = seen[-1].node
    over = sum(one.parameters for one in seen) - MOST_PARAMETERS
    found = []
    wide = [one for one in seen if one.width > 1]
    if wide:
        largest = max(wide, key=lambda one: one.parameters)
        left = max(0, largest.parameters - over) / largest.parameters
        width, name = max(1, _round(int(largest.width * left))), WIDTHS[largest.node.kind]
        where = "" if largest.node is here else f" of {called(largest.node.layer)} {place(largest.node)}"
        found.append(Repair(f"Set {name}{where} to {width}", (Set(largest.node.path, {name: width}),), layers))
    if row is not None and row.kind == "flatten":
        pool = Replace(row.path, (LayerSpec(kind="global_pool"),))
        found.insert(0 if seen[-1].width <= 1 else 1, Repair("Make the flatten a global pooling", (pool,), layers))
    return (*found, REMOVE.repair(here, layers))


def parameters_sentence(seen: Sequence[Seen]) -> str:
    return (
        f"It has {seen[-1].parameters:,} parameters, with which the network has "
        f"{sum(one.parameters for one in seen):,}; at most {MOST_PARAMETERS:,} are allowed."
    )


def place(node: Node) -> str:
    """For people, counted from 1: "5", or "5.2.1" inside a group."""
    return ".".join(str(number + 1) for number in node.path)


def _round(number: int) -> int:
    """The largest power of two up to it: as widths are chosen; 0 of 0."""
    return 1 << (number.bit_length() - 1) if number else 0
