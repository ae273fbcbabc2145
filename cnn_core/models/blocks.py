"""The torch modules that are more than one call of torch's own. Depends on torch only, so an export can quote it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """relu(body(x) + skip(x)), body = conv-BN-ReLU-conv-BN; skip = x, or 1×1 conv-BN where the shape changes."""

    def __init__(self, before: int, after: int, stride: int = 1):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)  # (N, after, H/stride, W/stride)
        self.norm1 = nn.BatchNorm2d(after)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(after)
        self.projects = stride > 1 or before != after
        if self.projects:
            self.skip_conv = nn.Conv2d(before, after, 1, stride, bias=False)
            self.skip_norm = nn.BatchNorm2d(after)
        self.relu2 = nn.ReLU()

    def forward(self, maps: Tensor) -> Tensor:
        body = self.norm2(self.conv2(self.relu1(self.norm1(self.conv1(maps)))))
        skip = self.skip_norm(self.skip_conv(maps)) if self.projects else maps
        return self.relu2(body + skip)


class Branches(nn.Module):
    """What modules "0", "1", … make of the same input, concatenated along the channels, added or multiplied; a factor
    (N, C) multiplies each map of (N, C, H, W)."""

    def __init__(self, branches: Sequence[nn.Module], merge: str):
        super().__init__()
        for place, branch in enumerate(branches):
            self.add_module(str(place), branch)
        self.merge = merge

    def forward(self, values: Tensor) -> Tensor:
        return merged([branch(values) for branch in self.children()], self.merge)

    def extra_repr(self) -> str:
        return f"merge={self.merge}"


def merged(outputs: list[Tensor], merge: str) -> Tensor:
    """The outputs of branches as one: "concatenate", "add" or "multiply"."""
    if merge == "concatenate":
        return torch.cat(outputs, dim=1)
    first, *others = sorted(outputs, key=Tensor.dim, reverse=True)
    for other in others:
        other = other.reshape(*other.shape, *(1,) * (first.dim() - other.dim()))
        first = first + other if merge == "add" else first * other
    return first


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
