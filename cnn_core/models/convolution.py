"""Layers that learn small kernels and slide them over the maps."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, ClassVar, Literal

from cnn_core.errors import PlaygroundError
from cnn_core.models.layer import Layer, Reach, Shape, register, require_maps, slide
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
    dilation: int = option(
        1,
        "Distance between the pixels a kernel looks at. 2 sees twice as far with as many weights, and skips every "
        "second pixel.",
        ge=1,
        le=16,
        unit="px",
        advanced=True,
    )
    groups: int = option(
        1,
        "Parts the maps are split into, each with kernels of its own; it must divide the maps that come in and those "
        "that come out. More is cheaper, and the parts no longer see each other.",
        ge=1,
        le=4096,
        advanced=True,
    )
    padding_mode: Literal["zeros", "reflect", "replicate", "circular"] = option(
        "zeros",
        "What stands beyond the border: zeros, the mirrored maps, their last pixels, or the opposite side.",
        advanced=True,
    )

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        found = self.channels, *slide(shape, self.kernel, self.stride, self.padding, self.dilation)
        if shape[0] % self.groups or self.channels % self.groups:
            raise PlaygroundError(
                f"its {self.groups} groups do not divide the {shape[0]} maps that come in and the {self.channels} that "
                "come out. Use a number of groups that divides both."
            )
        require_border(shape, self.padding, self.padding_mode)
        return found

    def parameters(self, shape: Shape, classes: int) -> int:
        return self.channels * (shape[0] // self.groups * self.kernel**2 + self.bias)

    def macs(self, shape: Shape, classes: int) -> int:
        channels, height, width = self.output_shape(shape, classes)
        return channels * height * width * (shape[0] // self.groups) * self.kernel**2

    def reach(self, shape: Shape, classes: int) -> Reach:
        return self.dilation * (self.kernel - 1) + 1, self.stride

    def detail(self, classes: int) -> str:
        step = f", stride {self.stride}" if self.stride > 1 else ""
        wide = f", dilation {self.dilation}" if self.dilation > 1 else ""
        groups = f", {self.groups} groups" if self.groups > 1 else ""
        return f"{self.kernel}×{self.kernel}, {self.channels} channels{step}{wide}{groups}"

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        sizes = shape[0], self.channels, self.kernel, self.stride, self.padding, self.dilation, self.groups
        return nn.Conv2d(*sizes, bias=self.bias, padding_mode=self.padding_mode)


def require_border(shape: Shape, padding: int, mode: str) -> None:
    """Raises PlaygroundError where the maps are too small to be mirrored or continued so far, as torch does."""
    least = min(require_maps(shape)[1:])
    most = {"reflect": least - 1, "circular": least}.get(mode, padding)
    if padding > most:
        raise PlaygroundError(
            f"{padding} of {mode} padding needs larger maps than {shape[1]}×{shape[2]}. Use a padding of at most "
            f"{most}, or zeros."
        )


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

    def numbers(self, shape: Shape, classes: int) -> int:
        return (len(self.parts(shape, classes)) + 1) * prod(self.output_shape(shape, classes))  # 1 for the sum

    def reach(self, shape: Shape, classes: int) -> Reach:
        return 3 + 2 * self.stride, self.stride

    def parts(self, shape: Shape, classes: int) -> list[tuple[str, str]]:
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
