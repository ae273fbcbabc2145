"""How much each input of an operation adds to each of its outputs, for one image."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

POSITIONS = 512  # of a map: where there are more, those on a coarser grid are taken


@torch.no_grad()
def of_convolution(convolution: nn.Conv2d, maps: Tensor, together: bool = False) -> Tensor:
    """float32 (O, I): what input map i adds to output map o: the root of the mean over the positions of the square of
    its part of the sum, with the sign of that part's mean.

    `maps`: (I, H, W). The part of map i at a position is w·patch, so the mean of its square is wᵀGw with G the mean of
    patch·patchᵀ over the positions, and no part has to be computed. `together`: all input maps as one, (O, 1).
    """
    weight = convolution.weight.detach().float()  # (O, I, k, k)
    kernel, stride, padding = convolution.kernel_size[0], convolution.stride[0], int(convolution.padding[0])
    height, width = ((side + 2 * padding - kernel) // stride + 1 for side in maps.shape[1:])
    coarser = max(1, math.ceil(math.sqrt(height * width / POSITIONS)))
    first = coarser // 2 * stride  # in the middle of the first cell of the grid, off the border
    padded = F.pad(maps[:, None], [padding] * 4)[:, :, first:, first:]
    patches = F.unfold(padded, kernel, stride=stride * coarser)  # (I, k², P)
    weight = weight.flatten(2)  # (O, I, k²)
    if together:
        patches, weight = patches.flatten(0, 1)[None], weight.flatten(1)[:, None]
    gram = patches @ patches.mT / patches.shape[2]  # (I, k², k²)
    by_input = weight.transpose(0, 1)  # (I, O, k²)
    square = ((by_input @ gram) * by_input).sum(2)  # (I, O)
    mean = (by_input @ patches.mean(2)[:, :, None])[:, :, 0]
    return (square.clamp_min(0).sqrt() * mean.sign()).T.contiguous()


@torch.no_grad()
def of_linear(linear: nn.Linear, row: Tensor) -> Tensor:
    """float32 (O, I): what number i of `row` (I,) adds to output o: weight times number, times the layer's scale."""
    return linear.weight.detach().float() * row * getattr(linear, "scale", 1.0)


def by_map(contributions: Tensor, maps: int) -> Tensor:
    """(O, C·H·W) -> (O, C): the sum over each map that a flatten has written into the row."""
    return contributions.reshape(len(contributions), maps, -1).sum(2)
