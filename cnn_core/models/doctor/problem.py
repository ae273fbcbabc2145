"""What is wrong with one layer for what comes in, and what would mend it there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cnn_core.models.doctor.reading import Node
from cnn_core.models.doctor.repair import Edit, Insert, Repair, Replace, Set
from cnn_core.models.layer import Layer, Shape
from cnn_core.models.tree import Layers
from cnn_core.recipe import LayerSpec


@dataclass(frozen=True)
class Fix:
    """A repair at the layer itself: other parameters, layers before it, or others in its place."""

    title: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    before: tuple[LayerSpec, ...] = ()
    instead: tuple[LayerSpec, ...] | None = None

    def repair(self, node: Node, layers: Layers) -> Repair:
        edits: list[Edit] = []
        if self.instead is not None:
            edits.append(Replace(node.path, self.instead))
        if self.parameters:
            edits.append(Set(node.path, self.parameters))
        if self.before:
            edits.append(Insert(node.path, self.before))
        return Repair(self.title, tuple(edits), layers)


@dataclass(frozen=True)
class Problem:
    """`fixes` from the most plausible to the least, at least one."""

    code: str
    sentence: str
    fixes: tuple[Fix, ...]
    others: tuple[Repair, ...] = ()  # at other layers
    image_size: int = 0
    advice: bool = False  # it works all the same


@dataclass(frozen=True)
class Case:
    """One layer and what comes in."""

    layer: Layer
    shape: Shape
    classes: int
    batch_size: int

    def option(self, name: str, default: int = 0) -> int:
        return int(getattr(self.layer, name, default))


REMOVE = Fix("Remove it", instead=())


def spec_of(kind: str, **parameters: object) -> LayerSpec:
    return LayerSpec(kind=kind, **parameters)


def times_in_words(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
