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
    weight = dense_weight(convolution)
    kernel, stride, dilation = convolution.kernel_size[0], convolution.stride[0], convolution.dilation[0]
    surrounded = padded(convolution, maps)[:, None]
    height, width = ((side - dilation * (kernel - 1) - 1) // stride + 1 for side in surrounded.shape[2:])
    coarser = max(1, math.ceil(math.sqrt(height * width / POSITIONS)))
    first = coarser // 2 * stride  # in the middle of the first cell of the grid, off the border
    patches = F.unfold(surrounded[:, :, first:, first:], kernel, dilation, stride=stride * coarser)  # (I, k², P)
    weight = weight.flatten(2)  # (O, I, k²)
    if together:
        patches, weight = patches.flatten(0, 1)[None], weight.flatten(1)[:, None]
    gram = patches @ patches.mT / patches.shape[2]  # (I, k², k²)
    by_input = weight.transpose(0, 1)  # (I, O, k²)
    square = ((by_input @ gram) * by_input).sum(2)  # (I, O)
    mean = (by_input @ patches.mean(2)[:, :, None])[:, :, 0]
    return (square.clamp_min(0).sqrt() * mean.sign()).T.contiguous()


def dense_weight(convolution: nn.Conv2d) -> Tensor:
    """float32 (O, I, k, k): with zeros for the input maps that a group of kernels does not see."""
    weight = convolution.weight.detach().float()  # (O, I / groups, k, k)
    if convolution.groups == 1:
        return weight
    dense = weight.new_zeros(len(weight), convolution.in_channels, *weight.shape[2:])
    outputs, inputs = len(weight) // convolution.groups, weight.shape[1]
    for group in range(convolution.groups):
        rows = slice(group * outputs, (group + 1) * outputs)
        dense[rows, group * inputs : (group + 1) * inputs] = weight[rows]
    return dense


def padded(convolution: nn.Conv2d, maps: Tensor) -> Tensor:
    """Maps (I, H, W) with the border that a convolution puts around them."""
    mode = "constant" if convolution.padding_mode == "zeros" else convolution.padding_mode
    return F.pad(maps[None], [int(convolution.padding[0])] * 4, mode=mode)[0]


@torch.no_grad()
def of_linear(linear: nn.Linear, row: Tensor) -> Tensor:
    """float32 (O, I): what number i of `row` (I,) adds to output o: weight times number, times the layer's scale."""
    return linear.weight.detach().float() * row * getattr(linear, "scale", 1.0)


def by_map(contributions: Tensor, maps: int) -> Tensor:
    """(O, C·H·W) -> (O, C): the sum over each map that a flatten has written into the row."""
    return contributions.reshape(len(contributions), maps, -1).sum(2)
