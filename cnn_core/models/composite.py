"""Layers made of layers: a list that is repeated, and branches that run side by side and are merged."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from cnn_core.errors import PlaygroundError
from cnn_core.models.layer import Layer, Reach, Shape, advance, called, describe, read_layers, register
from cnn_core.recipe import LayerSpec
from cnn_core.spec import option

if TYPE_CHECKING:
    from torch import nn

Layers = Sequence[Layer]
MOST_BRANCHES = 12


def chain(layers: Layers, shape: Shape, classes: int, where: str = "") -> list[Shape]:
    """The shape before each layer and, last, the one that comes out. Raises PlaygroundError, which names the layer."""
    found = [tuple(shape)]
    for place, layer in enumerate(layers, start=1):
        try:
            found.append(advance(layer, found[-1], classes))
        except PlaygroundError as problem:
            raise PlaygroundError(f"in its {where}layer {place}, {called(layer)}: {problem}") from None
    return found


def reach_of(layers: Layers, shapes: Sequence[Shape], classes: int) -> Reach | None:
    """Kernel and stride of all layers of a chain together."""
    side, step = 1, 1
    for layer, shape in zip(layers, shapes, strict=False):
        reach = layer.reach(shape, classes)
        if reach is None:
            return None
        side, step = side + (reach[0] - 1) * step, step * reach[1]
    return side, step


def parts_of(layers: Layers, shapes: Sequence[Shape], classes: int, name: str, title: str) -> list[tuple[str, str]]:
    """Those of a chain of layers, their names below `name`."""
    found = []
    for place, (layer, shape) in enumerate(zip(layers, shapes, strict=False)):
        for inner, words in layer.parts(shape, classes) or [("", "")]:
            at = f"{name}.{place}.{inner}" if inner else f"{name}.{place}"
            found.append((at, f"{title}{called(layer)}{f', {words}' if words else ''}"))
    return found


class Composite(Layer):
    """What layers that hold others share: `lists`, the lists of layers inside."""

    @cached_property
    def lists(self) -> tuple[tuple[Layer, ...], ...]:
        raise NotImplementedError

    @property
    def most_operations(self) -> int:
        return sum(layer.most_operations for layers in self.lists for layer in layers) + 1

    @property
    def depth(self) -> int:
        return 1 + max((layer.depth for layers in self.lists for layer in layers), default=0)


@register
class Repeat(Composite):
    """The same list of layers several times in a row; each time has weights of its own."""

    kind: ClassVar[str] = "repeat"
    title: ClassVar[str] = "Repeated group"
    help: ClassVar[str] = "A list of layers, several times one after the other, each time with weights of its own."

    times: int = option(2, "How often the list stands there. More is deeper: slower, and harder to train.", ge=1, le=32)
    layers: tuple[LayerSpec, ...] = Field((), description="The layers of the list, first to last.")

    @cached_property
    def lists(self) -> tuple[tuple[Layer, ...], ...]:
        return (tuple(read_layers(self.layers)),)

    @property
    def unrolled(self) -> tuple[Layer, ...]:
        return self.lists[0] * self.times

    @property
    def most_operations(self) -> int:
        return super().most_operations * self.times

    def shapes(self, shape: Shape, classes: int) -> list[Shape]:
        """The shape before each layer of all times in a row, and the one that comes out. Raises PlaygroundError."""
        found = [tuple(shape)]
        for time in range(self.times):
            where = f"repetition {time + 1}, " if time else ""
            found += chain(self.lists[0], found[-1], classes, where)[1:]
        return found

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        return self.shapes(shape, classes)[-1]

    def parameters(self, shape: Shape, classes: int) -> int:
        shapes = self.shapes(shape, classes)
        return sum(layer.parameters(s, classes) for layer, s in zip(self.unrolled, shapes, strict=False))

    def macs(self, shape: Shape, classes: int) -> int:
        shapes = self.shapes(shape, classes)
        return sum(layer.macs(s, classes) for layer, s in zip(self.unrolled, shapes, strict=False))

    def numbers(self, shape: Shape, classes: int) -> int:
        shapes = self.shapes(shape, classes)
        return sum(layer.numbers(s, classes) for layer, s in zip(self.unrolled, shapes, strict=False))

    def reach(self, shape: Shape, classes: int) -> Reach | None:
        return reach_of(self.unrolled, self.shapes(shape, classes), classes)

    def parts(self, shape: Shape, classes: int) -> list[tuple[str, str]]:
        shapes, length, found = self.shapes(shape, classes), len(self.lists[0]), []
        for time in range(self.times):
            at = shapes[time * length :]
            found += parts_of(self.lists[0], at, classes, str(time), f"repetition {time + 1}, ")
        return found

    def detail(self, classes: int) -> str:
        return f"{self.times} × {len(self.layers)} layer{'s' * (len(self.layers) != 1)}"

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        shapes, times, length = self.shapes(shape, classes), [], len(self.lists[0])
        for time in range(self.times):
            at = shapes[time * length :]
            times.append(nn.Sequential(*(layer.build(s, classes) for layer, s in zip(self.lists[0], at, strict=False))))
        return nn.Sequential(*times)


@register
class Branches(Composite):
    """Lists of layers side by side, each on the same input; what they give is merged."""

    kind: ClassVar[str] = "branches"
    title: ClassVar[str] = "Branches"
    help: ClassVar[str] = (
        "Several ways side by side, merged at the end: concatenated as in Inception and DenseNet, added as in ResNet, "
        "multiplied as in squeeze-and-excitation. An empty branch hands on what comes in."
    )

    merge: Literal["concatenate", "add", "multiply"] = option(
        "concatenate",
        "Concatenate puts the maps of all branches one after the other; add and multiply need as many from each, of "
        "one size. A row of one number a map may multiply maps.",
    )
    branches: tuple[tuple[LayerSpec, ...], ...] = Field(
        ((), ()), description="The layers of each branch, first to last; none hands on what comes in."
    )

    @cached_property
    def lists(self) -> tuple[tuple[Layer, ...], ...]:
        return tuple(tuple(read_layers(branch)) for branch in self.branches)

    def shapes(self, shape: Shape, classes: int) -> list[list[Shape]]:
        """Of each branch the shape before each layer, and the one that comes out. Raises PlaygroundError."""
        return [chain(branch, shape, classes, f"branch {place}, ") for place, branch in enumerate(self.lists, start=1)]

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        if not 1 <= len(self.branches) <= MOST_BRANCHES:
            raise PlaygroundError(f"it has {len(self.branches)} branches. Use 1 to {MOST_BRANCHES}.")
        return self.merged([found[-1] for found in self.shapes(shape, classes)])

    def merged(self, shapes: Sequence[Shape]) -> Shape:
        """What branches of these shapes give together. Raises PlaygroundError where they do not match."""
        largest = max(shapes, key=len)
        if self.merge == "concatenate":
            if any(shape[1:] != largest[1:] or len(shape) != len(largest) for shape in shapes):
                raise PlaygroundError(f"{_each(shapes)}, but concatenated maps must be of one size.")
            return sum(shape[0] for shape in shapes), *largest[1:]
        gates = self.merge == "multiply"
        if any(shape != largest and not (gates and shape == largest[:1]) for shape in shapes):
            verb = "added" if self.merge == "add" else "multiplied"
            raise PlaygroundError(f"{_each(shapes)}, but what is {verb} must be of one shape.")
        return largest

    def parameters(self, shape: Shape, classes: int) -> int:
        return sum(
            layer.parameters(s, classes)
            for branch, shapes in zip(self.lists, self.shapes(shape, classes), strict=True)
            for layer, s in zip(branch, shapes, strict=False)
        )

    def macs(self, shape: Shape, classes: int) -> int:
        return sum(
            layer.macs(s, classes)
            for branch, shapes in zip(self.lists, self.shapes(shape, classes), strict=True)
            for layer, s in zip(branch, shapes, strict=False)
        )

    def numbers(self, shape: Shape, classes: int) -> int:
        inside = sum(
            layer.numbers(s, classes)
            for branch, shapes in zip(self.lists, self.shapes(shape, classes), strict=True)
            for layer, s in zip(branch, shapes, strict=False)
        )
        return inside + prod(self.output_shape(shape, classes))

    def reach(self, shape: Shape, classes: int) -> Reach | None:
        found = []
        for branch, shapes in zip(self.lists, self.shapes(shape, classes), strict=True):
            if (reach := reach_of(branch, shapes, classes)) is None:
                return None
            found.append(reach)
        return max(side for side, _ in found), max(step for _, step in found)

    def parts(self, shape: Shape, classes: int) -> list[tuple[str, str]]:
        return [
            part
            for place, (branch, shapes) in enumerate(zip(self.lists, self.shapes(shape, classes), strict=True))
            for part in parts_of(branch, shapes, classes, str(place), f"branch {place + 1}, ")
        ]

    def detail(self, classes: int) -> str:
        return f"{len(self.branches)} side by side, {MERGED[self.merge]}"

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        from cnn_core.models import blocks

        built = [
            nn.Sequential(*(layer.build(s, classes) for layer, s in zip(branch, shapes, strict=False)))
            for branch, shapes in zip(self.lists, self.shapes(shape, classes), strict=True)
        ]
        return blocks.Branches(built, self.merge)


MERGED = {"concatenate": "concatenated", "add": "added", "multiply": "multiplied"}


def _each(shapes: Sequence[Shape]) -> str:
    return "its branches give " + ", ".join(map(describe, shapes))
