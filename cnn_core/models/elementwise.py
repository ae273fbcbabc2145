"""Layers that keep the shape: activations, batch norm and dropout."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cnn_core.models.layer import Layer, Shape, register
from cnn_core.spec import option

if TYPE_CHECKING:
    from torch import nn


@register
class ReLU(Layer):
    """max(0, x)"""

    kind: ClassVar[str] = "relu"
    title: ClassVar[str] = "ReLU"
    help: ClassVar[str] = (
        "Keeps what is positive and sets the rest to zero. Without activations a network is one linear map."
    )

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        return nn.ReLU()


@register
class LeakyReLU(Layer):
    """x where positive, slope·x elsewhere"""

    kind: ClassVar[str] = "leaky_relu"
    title: ClassVar[str] = "Leaky ReLU"
    help: ClassVar[str] = "A ReLU that lets a little of the negative through, so that no unit stays dead."

    slope: float = option(0.01, "Fraction of the negative values let through. 0 is a ReLU, 1 does nothing.", ge=0, le=1)

    def detail(self, classes: int) -> str:
        return f"slope {self.slope:g}"

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        return nn.LeakyReLU(self.slope)


@register
class Sigmoid(Layer):
    """1 / (1 + exp(-x))"""

    kind: ClassVar[str] = "sigmoid"
    title: ClassVar[str] = "Sigmoid"
    help: ClassVar[str] = "Squeezes every value into 0…1. Far from zero its slope vanishes, and learning slows."

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        return nn.Sigmoid()


@register
class Tanh(Layer):
    """tanh(x)"""

    kind: ClassVar[str] = "tanh"
    title: ClassVar[str] = "Tanh"
    help: ClassVar[str] = "Squeezes every value into -1…1, centred on zero. Far from zero its slope vanishes too."

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        return nn.Tanh()


@register
class GELU(Layer):
    """x·Φ(x), Φ the normal distribution (Hendrycks & Gimpel 2016, https://arxiv.org/abs/1606.08415)"""

    kind: ClassVar[str] = "gelu"
    title: ClassVar[str] = "GELU"
    help: ClassVar[str] = "A smooth ReLU, usual in transformers; slower to compute."

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        return nn.GELU()


@register
class BatchNorm(Layer):
    """Per channel: zero mean and unit variance over the batch, then a learned scale and shift."""

    kind: ClassVar[str] = "batch_norm"
    title: ClassVar[str] = "Batch norm"
    help: ClassVar[str] = "Brings each map to zero mean and unit variance over the batch, so larger steps stay stable."

    def parameters(self, shape: Shape, classes: int) -> int:
        return 2 * shape[0]

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        return nn.BatchNorm2d(shape[0]) if len(shape) == 3 else nn.BatchNorm1d(shape[0])


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
