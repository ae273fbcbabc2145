"""Convolutions with fewer weights: within each map, across the maps, and both one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cnn_core.models.layer import Layer, Reach, Shape, register, require_maps, slide
from cnn_core.spec import option

if TYPE_CHECKING:
    from torch import nn


class Window(Layer):
    """What the convolutions within a map share."""

    kernel: int = option(3, "Side of the square kernel. Larger sees more at once.", ge=1, le=31, unit="px")
    stride: int = option(1, "Step of the kernel. 2 halves the maps.", ge=1, le=16, unit="px")
    padding: int = option(1, "Zeros added on each side. Half the kernel keeps the size.", ge=0, le=15, unit="px")
    bias: bool = option(True, "Add a learned number to each map. Needless when a batch norm follows.", advanced=True)

    def reach(self, shape: Shape, classes: int) -> Reach:
        return self.kernel, self.stride

    @property
    def window(self) -> str:
        return f"{self.kernel}×{self.kernel}" + (f", stride {self.stride}" if self.stride > 1 else "")


@register
class Depthwise(Window):
    """A convolution in as many groups as there are maps."""

    kind: ClassVar[str] = "depthwise"
    title: ClassVar[str] = "Depthwise convolution"
    help: ClassVar[str] = (
        "One kernel for each map, which sees that map alone. Cheap; a 1×1 convolution then mixes them."
    )

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        return require_maps(shape)[0], *slide(shape, self.kernel, self.stride, self.padding)

    def parameters(self, shape: Shape, classes: int) -> int:
        return shape[0] * (self.kernel**2 + self.bias)

    def macs(self, shape: Shape, classes: int) -> int:
        channels, height, width = self.output_shape(shape, classes)
        return channels * height * width * self.kernel**2

    def detail(self, classes: int) -> str:
        return self.window

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        maps = shape[0]
        return nn.Conv2d(maps, maps, self.kernel, self.stride, self.padding, groups=maps, bias=self.bias)


@register
class Pointwise(Layer):
    """A 1×1 convolution."""

    kind: ClassVar[str] = "pointwise"
    title: ClassVar[str] = "1×1 convolution"
    help: ClassVar[str] = "Mixes the maps at each pixel: a linear layer for every pixel. Changes the number of maps."

    channels: int = option(
        16, "Maps that come out. Fewer than come in is a bottleneck, more widens.", ge=1, le=4096, log=True
    )
    bias: bool = option(True, "Add a learned number to each map. Needless when a batch norm follows.", advanced=True)

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        return self.channels, *require_maps(shape)[1:]

    def parameters(self, shape: Shape, classes: int) -> int:
        return self.channels * (shape[0] + self.bias)

    def macs(self, shape: Shape, classes: int) -> int:
        return self.channels * shape[0] * shape[1] * shape[2]

    def detail(self, classes: int) -> str:
        return f"{self.channels} channels"

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        return nn.Conv2d(shape[0], self.channels, 1, bias=self.bias)


@register
class DepthwiseSeparable(Window):
    """A depthwise convolution, then a 1×1 one (Howard et al. 2017, MobileNet, https://arxiv.org/abs/1704.04861)."""

    kind: ClassVar[str] = "depthwise_separable"
    title: ClassVar[str] = "Depthwise separable convolution"
    help: ClassVar[str] = "Looks within each map first, then mixes the maps: about an eighth of the work of a 3×3 one."

    channels: int = option(16, "Maps that come out.", ge=1, le=4096, log=True)

    def halves(self) -> tuple[Depthwise, Pointwise]:
        window = Depthwise(kernel=self.kernel, stride=self.stride, padding=self.padding, bias=self.bias)
        return window, Pointwise(channels=self.channels, bias=self.bias)

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        first, second = self.halves()
        return second.output_shape(first.output_shape(shape, classes), classes)

    def parameters(self, shape: Shape, classes: int) -> int:
        return sum(half.parameters(shape, classes) for half in self.halves())

    def macs(self, shape: Shape, classes: int) -> int:
        first, second = self.halves()
        return first.macs(shape, classes) + second.macs(first.output_shape(shape, classes), classes)

    def numbers(self, shape: Shape, classes: int) -> int:
        first, second = self.halves()
        return first.numbers(shape, classes) + second.numbers(first.output_shape(shape, classes), classes)

    def parts(self, shape: Shape, classes: int) -> list[tuple[str, str]]:
        return [("depthwise", "depthwise convolution"), ("pointwise", "1×1 convolution")]

    def detail(self, classes: int) -> str:
        return f"{self.window}, {self.channels} channels"

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from collections import OrderedDict

        from torch import nn

        first, second = self.halves()
        parts = {"depthwise": first.build(shape, classes), "pointwise": second.build(shape, classes)}
        return nn.Sequential(OrderedDict(parts))
