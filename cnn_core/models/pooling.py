"""Layers that make maps smaller and learn nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from cnn_core.errors import PlaygroundError
from cnn_core.models.layer import Layer, Reach, Shape, register, require_maps, slide
from cnn_core.spec import option

if TYPE_CHECKING:
    from torch import nn


class Pool(Layer):
    """What max and average pooling share: a square window that slides."""

    kernel: int = option(
        2, "Side of the square window. Larger forgets more about where something was.", ge=1, le=31, unit="px"
    )
    stride: int = option(0, "Step of the window; 0 steps by its own side.", ge=0, le=16, unit="px", advanced=True)
    padding: int = option(
        0, "Border added on each side, at most half the kernel.", ge=0, le=15, unit="px", advanced=True
    )

    @property
    def step(self) -> int:
        return self.stride or self.kernel

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        if 2 * self.padding > self.kernel:
            raise PlaygroundError(
                f"{self.padding} of padding is more than half of its {self.kernel}×{self.kernel} window. "
                f"Use a padding of at most {self.kernel // 2}."
            )
        channels = require_maps(shape)[0]
        return channels, *slide(shape, self.kernel, self.step, self.padding)

    def reach(self, shape: Shape, classes: int) -> Reach:
        return self.kernel, self.step

    def detail(self, classes: int) -> str:
        return f"{self.kernel}×{self.kernel}" + (f", stride {self.step}" if self.step != self.kernel else "")


@register
class MaxPool(Pool):
    """Largest value of each window."""

    kind: ClassVar[str] = "max_pool"
    title: ClassVar[str] = "Max pooling"
    help: ClassVar[str] = "Keeps the largest value of each window: smaller maps that care less where a match was."

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        return nn.MaxPool2d(self.kernel, self.step, self.padding)


@register
class AvgPool(Pool):
    """Mean of each window; padding counts as zeros."""

    kind: ClassVar[str] = "avg_pool"
    title: ClassVar[str] = "Average pooling"
    help: ClassVar[str] = "Takes the mean of each window: smaller, smoother maps."

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        return nn.AvgPool2d(self.kernel, self.step, self.padding)


@register
class AdaptiveAvgPool(Layer):
    """Mean over windows that divide the maps evenly: any (C, H, W) -> (C, size, size). Window i of a side of n pixels
    goes from floor(i·n / size) to ceil((i + 1)·n / size), as torch has it."""

    kind: ClassVar[str] = "adaptive_avg_pool"
    title: ClassVar[str] = "Adaptive average pooling"
    help: ClassVar[str] = (
        "Means over as many windows as you ask for, whatever the size of the maps: the layers after it fit any image."
    )

    size: int = option(
        1, "Side of the maps that come out. Larger keeps more of where something was.", ge=1, le=64, unit="px"
    )

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        return require_maps(shape)[0], self.size, self.size

    def reach(self, shape: Shape, classes: int) -> Reach | None:
        sides = shape[1:]
        if self.size == 1:
            return None
        widest = max(
            -(-(i + 1) * side // self.size) - i * side // self.size for side in sides for i in range(self.size)
        )
        return widest, max(1, max(sides) // self.size)

    def detail(self, classes: int) -> str:
        return f"to {self.size}×{self.size}"

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        return nn.AdaptiveAvgPool2d(self.size)


@register
class GlobalPool(Layer):
    """One number a map: (C, H, W) -> (C,)."""

    kind: ClassVar[str] = "global_pool"
    title: ClassVar[str] = "Global pooling"
    help: ClassVar[str] = (
        "One number a map, wherever the match was. Takes the place of a flatten and fits any image size."
    )

    mode: Literal["max", "average"] = option(
        "average", "Average asks how much of a pattern there is, max whether it is there at all."
    )

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        return (require_maps(shape)[0],)

    def reach(self, shape: Shape, classes: int) -> Reach | None:
        return None

    def detail(self, classes: int) -> str:
        return self.mode

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from cnn_core.models import blocks

        return blocks.GlobalPool(self.mode)
