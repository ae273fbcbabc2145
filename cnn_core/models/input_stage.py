"""What stands before the first layer: from pixel values to normalised numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from cnn_core.normalisation import scale_and_shift


class InputStage(nn.Module):
    """uint8 (N, C, H, W) in 0..255, or float in 0..1 -> float32, normalised by mean and std of each channel (0..1).

    `mean` and `std` are float32 buffers (C,), saved with the weights. Scaling and normalising are one multiplication
    and one addition, before the numbers are put into `memory_format`: after that, three channels take 5 times as long.
    """

    mean: Tensor
    std: Tensor
    scale: Tensor
    byte_scale: Tensor
    shift: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32))
        self.memory_format = torch.contiguous_format  # of what comes out
        self._prepare()

    def forward(self, images: Tensor) -> Tensor:
        as_bytes = images.dtype == torch.uint8
        scaled = images.float().mul_(self.byte_scale) if as_bytes else images * self.scale
        return scaled.add_(self.shift).contiguous(memory_format=self.memory_format)

    def _prepare(self) -> None:
        """From the buffers as they are saved, so that a network that is loaded computes the same bits."""
        factors, offsets = scale_and_shift(self.mean.tolist(), self.std.tolist())
        for name, values in (("scale", factors), ("byte_scale", [a / 255 for a in factors]), ("shift", offsets)):
            column = torch.tensor(values, dtype=torch.float32, device=self.mean.device).view(-1, 1, 1)
            self.register_buffer(name, column, persistent=False)

    def _load_from_state_dict(self, *arguments: Any, **more: Any) -> None:
        super()._load_from_state_dict(*arguments, **more)
        self._prepare()

    def extra_repr(self) -> str:
        return f"channels={len(self.mean)}"
