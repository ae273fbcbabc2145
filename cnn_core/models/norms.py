"""Layers that bring numbers to zero mean and unit variance."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cnn_core.errors import PlaygroundError
from cnn_core.models.layer import Layer, Shape, register
from cnn_core.spec import option

if TYPE_CHECKING:
    from torch import nn


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
class GroupNorm(Layer):
    """Per image and group of channels: zero mean and unit variance, then a learned scale and shift of each channel
    (Wu & He 2018, https://arxiv.org/abs/1803.08494)."""

    kind: ClassVar[str] = "group_norm"
    title: ClassVar[str] = "Group norm"
    help: ClassVar[str] = (
        "Batch norm over groups of maps of one image: the size of the batch does not matter, nor do the other images."
    )

    groups: int = option(
        1, "Groups of maps; it must divide their number. 1 takes all maps together.", ge=1, le=4096, log=True
    )

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        if shape[0] % self.groups:
            raise PlaygroundError(
                f"its {self.groups} groups do not divide the {shape[0]} channels that come in. Use a number of groups "
                "that does."
            )
        return shape

    def parameters(self, shape: Shape, classes: int) -> int:
        return 2 * shape[0]

    def detail(self, classes: int) -> str:
        return f"{self.groups} group{'s' * (self.groups != 1)}"

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        return nn.GroupNorm(self.groups, shape[0])


@register
class LayerNorm(Layer):
    """Per image: zero mean and unit variance over all numbers, then a learned scale and shift of each channel (Ba et
    al. 2016, https://arxiv.org/abs/1607.06450)."""

    kind: ClassVar[str] = "layer_norm"
    title: ClassVar[str] = "Layer norm"
    help: ClassVar[str] = "Brings all numbers of one image to zero mean and unit variance; usual in transformers."

    def parameters(self, shape: Shape, classes: int) -> int:
        return 2 * shape[0]

    def build(self, shape: Shape, classes: int) -> nn.Module:
        from torch import nn

        return nn.GroupNorm(1, shape[0]) if len(shape) == 3 else nn.LayerNorm(shape[0])
