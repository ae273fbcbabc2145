"""The torch modules that are more than one call of torch's own. Depends on torch only, so an export can quote it."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """relu(body(x) + skip(x)), body = conv-BN-ReLU-conv-BN; skip = x, or 1×1 conv-BN where the shape changes."""

    def __init__(self, before: int, after: int, stride: int = 1):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(before, after, 3, stride, padding=1, bias=False),  # (N, after, H/stride, W/stride)
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.Conv2d(after, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
        )
        self.skip: nn.Module = nn.Identity()
        if stride > 1 or before != after:
            self.skip = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, maps: Tensor) -> Tensor:
        return F.relu(self.body(maps) + self.skip(maps))


class GlobalPool(nn.Module):
    """(N, C, H, W) -> (N, C): the largest or the mean of each map."""

    def __init__(self, mode: str):
        super().__init__()
        self.mode = mode

    def forward(self, maps: Tensor) -> Tensor:
        return maps.amax((2, 3)) if self.mode == "max" else maps.mean((2, 3))

    def extra_repr(self) -> str:
        return f"mode={self.mode}"


class ScaledLinear(nn.Linear):
    """A linear layer whose output is multiplied by a fixed `scale`."""

    def __init__(self, before: int, after: int, bias: bool, scale: float):
        super().__init__(before, after, bias)
        self.scale = scale

    def forward(self, rows: Tensor) -> Tensor:
        return super().forward(rows) * self.scale

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, scale={self.scale}"
