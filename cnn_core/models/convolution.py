"""Layers that learn small kernels and slide them over the maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cnn_core.models.layer import Layer, Reach, Shape, register, slide
from cnn_core.spec import option

if TYPE_CHECKING:
    from torch import nn


@register
class Conv(Layer):
    """A convolution with square kernels."""

    kind: ClassVar[str] = "conv"
    title: ClassVar[str] = "Convolution"
    help: ClassVar[str] = "Slides small learned kernels over the maps; each kernel gives one map of where it matches."

    channels: int = option(
        16,
        "Kernels, and so maps that come out. Few miss patterns, many cost time and overfit.",
        ge=1,
        le=4096,
        log=True,
    )
    kernel: int = option(
        3,
        "Side of the square kernel. Larger sees more at once; its cost grows with the square.",
        ge=1,
        le=31,
        unit="px",
    )
    stride: int = option(
        1,
        "Step of the kernel. 2 halves the maps and quarters the work; large steps skip detail.",
        ge=1,
        le=16,
        unit="px",
    )
    padding: int = option(
        1, "Zeros added on each side. Half the kernel keeps the size; 0 shrinks the maps.", ge=0, le=15, unit="px"
    )
    bias: bool = option(True, "Add a learned number to each map. Needless when a batch norm follows.", advanced=True)

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        return self.channels, *slide(shape, self.kernel, self.stride, self.padding)

    def parameters(self, shape: Shape, classes: int) -> int:
        return self.channels * (shape[0] * self.kernel**2 + self.bias)

    def macs(self, shape: Shape, classes: int) -> int:
        channels, height, width = self.output_shape(shape, classes)
        return channels * height * width * shape[0] * self.kernel**2

    def reach(self, shape: Shape) -> Reach:
        return self.kernel, self.stride

    def detail(self, classes: int) -> str:
        step = f", stride {self.stride}" if self.stride > 1 else ""
        return f"{self.kernel}×{self.kernel}, {self.channels} channels{step}"

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        return nn.Conv2d(shape[0], self.channels, self.kernel, self.stride, self.padding, bias=self.bias)


@register
class Residual(Layer):
    """The basic block of ResNet (He et al. 2015, https://arxiv.org/abs/1512.03385)."""

    kind: ClassVar[str] = "residual"
    title: ClassVar[str] = "Residual block"
    help: ClassVar[str] = (
        "Two 3×3 convolutions with batch norm learn a correction that is added to the input; a ReLU follows."
    )

    channels: int = option(
        0,
        "Maps that come out; 0 keeps the number that comes in. A change needs a 1×1 convolution on the skip.",
        ge=0,
        le=4096,
    )
    stride: int = option(1, "Step of the first convolution. 2 halves the maps.", ge=1, le=16, unit="px")

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        return self.channels or shape[0], *slide(shape, 3, self.stride, 1)

    def projects(self, shape: Shape) -> bool:
        """Whether the skip needs a 1×1 convolution."""
        return self.stride > 1 or self.channels not in (0, shape[0])

    def parameters(self, shape: Shape, classes: int) -> int:
        before, after = shape[0], self.channels or shape[0]
        body = 9 * before * after + 9 * after * after + 4 * after
        return body + self.projects(shape) * (before * after + 2 * after)

    def macs(self, shape: Shape, classes: int) -> int:
        after, height, width = self.output_shape(shape, classes)
        weights = 9 * shape[0] * after + 9 * after * after + self.projects(shape) * shape[0] * after
        return weights * height * width

    def reach(self, shape: Shape) -> Reach:
        return 3 + 2 * self.stride, self.stride

    def parts(self, shape: Shape) -> list[tuple[str, str]]:
        skip = [("skip_conv", "convolution on the skip"), ("skip_norm", "batch norm on the skip")]
        return [
            *(("conv1", "convolution 1"), ("norm1", "batch norm 1"), ("relu1", "ReLU 1")),
            *(("conv2", "convolution 2"), ("norm2", "batch norm 2")),
            *(skip if self.projects(shape) else []),
            ("relu2", "ReLU 2"),
        ]

    def detail(self, classes: int) -> str:
        width = f", {self.channels} channels" if self.channels else ""
        return f"2 × 3×3{width}" + (f", stride {self.stride}" if self.stride > 1 else "")

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from cnn_core.models.blocks import ResidualBlock

        return ResidualBlock(shape[0], self.channels or shape[0], self.stride)
