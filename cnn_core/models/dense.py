"""Layers on a row of numbers."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, ClassVar

from cnn_core.errors import PlaygroundError
from cnn_core.models.layer import Layer, Reach, Shape, describe, register
from cnn_core.spec import option

if TYPE_CHECKING:
    from torch import nn


@register
class Flatten(Layer):
    """(C, H, W) -> (C·H·W,), channel by channel, row by row."""

    kind: ClassVar[str] = "flatten"
    title: ClassVar[str] = "Flatten"
    help: ClassVar[str] = "Writes all maps into one row of numbers, which a linear layer takes."

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        return (prod(shape),)

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        return nn.Flatten()


@register
class Linear(Layer):
    """scale · (W x + b)"""

    kind: ClassVar[str] = "linear"
    title: ClassVar[str] = "Linear"
    help: ClassVar[str] = "Every output is a weighted sum of all inputs. The last one gives one score a class."

    features: int = option(0, "Numbers that come out; 0 means one a class, for the last layer.", ge=0, le=16384)
    inputs: int = option(
        0,
        "Numbers it expects; 0 takes those that come. Written code has to say it, and a fixed one fits one image size.",
        ge=0,
        le=10_000_000,
        advanced=True,
    )
    bias: bool = option(True, "Add a learned number to each output.", advanced=True)
    scale: float = option(
        1.0,
        "Fixed factor on the output. Below 1 the scores start small and grow slowly, which steadies large steps.",
        gt=0,
        le=100,
        log=True,
        advanced=True,
    )

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        if len(shape) != 1:
            raise PlaygroundError(
                f"it takes a row of numbers, but {describe(shape)} come in. "
                "Put a flatten or a global pooling before it."
            )
        if self.inputs not in (0, shape[0]):
            raise PlaygroundError(
                f"it expects {self.inputs:,} numbers, but {shape[0]:,} come in. Let it take what comes, or bring the "
                f"maps before it to the size it was made for."
            )
        return (self.features or classes,)

    def parameters(self, shape: Shape, classes: int) -> int:
        return (self.features or classes) * (shape[0] + self.bias)

    def macs(self, shape: Shape, classes: int) -> int:
        return (self.features or classes) * shape[0]

    def reach(self, shape: Shape, classes: int) -> Reach | None:
        return None

    def detail(self, classes: int) -> str:
        scale = f", × {self.scale:g}" if self.scale != 1 else ""
        return (f"{self.features} features" if self.features else f"{classes} classes") + scale

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        from cnn_core.models.blocks import ScaledLinear

        sizes = shape[0], self.features or classes
        return nn.Linear(*sizes, self.bias) if self.scale == 1 else ScaledLinear(*sizes, self.bias, self.scale)
