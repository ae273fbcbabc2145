"""Boxes in the images of a batch (N, C, H, W), and mixtures of two images: one drawn value per image.

A box is int64 (N, 4): top, left, bottom and right in pixels, the last two not included.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cnn_core.data.augmentation.batch_draws import constant, to_float


def square(centres: Tensor, size: int) -> Tensor:
    """Boxes of side `size` around `centres` (N, 2); they may reach over the edge."""
    top_left = centres - size // 2
    return torch.cat([top_left, top_left + size], dim=1)


def box_of_area(images: Tensor, area: Tensor, ratio: Tensor, place: Tensor) -> Tensor:
    """Boxes inside the image with `area` (N,), a share of the image, and `ratio` (N,) of height to width.

    place: float (N, 2) in 0..1, where in the room that is left. A box that is too long for the image is cut.
    """
    size = constant(tuple(images.shape[-2:]), images.device)
    pixels = area * (images.shape[-2] * images.shape[-1])
    sides = torch.stack([(pixels * ratio).sqrt(), (pixels / ratio).sqrt()], dim=1).round()
    sides = torch.minimum(sides, size)
    top_left = (place * (size - sides + 1)).floor().minimum(size - sides)
    return torch.cat([top_left, top_left + sides], dim=1).long()


def box_for_fraction(images: Tensor, share: Tensor, centres: Tensor) -> Tensor:
    """Boxes of about 1 - `share` (N,) of the image around `centres` (N, 2), cut off at the edge (Yun et al. 2019)."""
    size = constant(tuple(images.shape[-2:]), images.device)
    half = (0.5 * (1 - share).sqrt()[:, None] * size).long()
    top_left, bottom_right = (centres - half).clamp_min(0), torch.minimum(centres + half, size.long())
    return torch.cat([top_left, bottom_right], dim=1)


def inside(images: Tensor, box: Tensor) -> Tensor:
    """bool (N, 1, H, W): the pixels of each image that are in its box."""
    rows = torch.arange(images.shape[2], device=images.device)
    columns = torch.arange(images.shape[3], device=images.device)
    in_rows = (rows >= box[:, :1]) & (rows < box[:, 2:3])
    in_columns = (columns >= box[:, 1:2]) & (columns < box[:, 3:])
    return in_rows[:, None, :, None] & in_columns[:, None, None, :]


def erase(images: Tensor, box: Tensor) -> Tensor:
    """Set the pixels in the boxes to 0; keeps the dtype."""
    return images * ~inside(images, box)


def mix_up(images: Tensor, other: Tensor, share: Tensor) -> Tensor:
    """share (N,) of each image and the rest from `other` (N, C, H, W): float32 0..1."""
    share = share.view(-1, 1, 1, 1)
    return (to_float(images) * share).add_(to_float(other) * (1 - share))


def cut_mix(images: Tensor, other: Tensor, box: Tensor) -> tuple[Tensor, Tensor]:
    """Each image with the box filled from `other`, in its dtype, and the share (N,) of it that is left."""
    share = 1 - (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1]) / (images.shape[2] * images.shape[3])
    return torch.where(inside(images, box), other, images), share
