"""Layers that leave numbers out while training."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cnn_core.models.layer import Layer, Shape, register, require_maps
from cnn_core.spec import option

if TYPE_CHECKING:
    from torch import nn


@register
class Dropout(Layer):
    """Zeroes numbers at random while training and scales the rest by 1 / (1 - probability)."""

    kind: ClassVar[str] = "dropout"
    title: ClassVar[str] = "Dropout"
    help: ClassVar[str] = "Sets numbers to zero at random while training, so that no unit relies on one other."

    probability: float = option(
        0.5, "Fraction set to zero. A little steadies, near 1 nothing is left to learn from.", ge=0, lt=1
    )

    def detail(self, classes: int) -> str:
        return f"{self.probability:.0%}"

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        return nn.Dropout(self.probability)


@register
class Dropout2d(Dropout):
    """Zeroes whole maps at random while training and scales the rest by 1 / (1 - probability) (Tompson et al. 2014,
    https://arxiv.org/abs/1411.4280)."""

    kind: ClassVar[str] = "dropout2d"
    title: ClassVar[str] = "Dropout of maps"
    help: ClassVar[str] = "Sets whole maps to zero at random while training: neighbours in a map tell of each other."

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        return require_maps(shape)

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        return nn.Dropout2d(self.probability)
