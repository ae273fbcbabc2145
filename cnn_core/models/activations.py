"""Activations: layers that bend each number."""

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
class SiLU(Layer):
    """x·sigmoid(x), also called swish (Elfwing et al. 2017, https://arxiv.org/abs/1702.03118)"""

    kind: ClassVar[str] = "silu"
    title: ClassVar[str] = "SiLU"
    help: ClassVar[str] = "A smooth ReLU that dips a little below zero; usual in EfficientNet."

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        return nn.SiLU()


@register
class Hardswish(Layer):
    """x·min(max(x + 3, 0), 6) / 6 (Howard et al. 2019, https://arxiv.org/abs/1905.02244)"""

    kind: ClassVar[str] = "hardswish"
    title: ClassVar[str] = "Hardswish"
    help: ClassVar[str] = "SiLU drawn with straight pieces: nearly the same, cheaper on a phone; usual in MobileNet."

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        return nn.Hardswish()


@register
class ELU(Layer):
    """x where positive, alpha·(exp(x) - 1) elsewhere (Clevert et al. 2015, https://arxiv.org/abs/1511.07289)"""

    kind: ClassVar[str] = "elu"
    title: ClassVar[str] = "ELU"
    help: ClassVar[str] = "Like a ReLU, but what is negative levels off at -alpha, so the mean stays near zero."

    alpha: float = option(1.0, "How far below zero it goes. 0 is a ReLU.", ge=0, le=10)

    def detail(self, classes: int) -> str:
        return f"alpha {self.alpha:g}"

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        return nn.ELU(self.alpha)


@register
class Softmax(Layer):
    """exp(x) / Σ exp(x) over the channels"""

    kind: ClassVar[str] = "softmax"
    title: ClassVar[str] = "Softmax"
    help: ClassVar[str] = (
        "Turns scores into probabilities that sum to one. Cross-entropy does it itself: at the end it is one too many."
    )

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        return nn.Softmax(dim=1)
