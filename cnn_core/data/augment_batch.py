"""The arithmetic of augmentation: functions on a batch (N, C, H, W) with one drawn value per image (N,)."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

GREY = (0.2989, 0.587, 0.114)  # ITU-R 601-2 luma, as Pillow and torchvision


@lru_cache(maxsize=64)
def constant(values: tuple[float, ...], device: torch.device) -> Tensor:
    """float32 (len(values),), made once: sending numbers to a GPU waits for it."""
    return torch.tensor(values, dtype=torch.float32, device=device)


def to_float(images: Tensor) -> Tensor:
    """uint8 0..255 as float32 0..1; float images as they are."""
    return images if images.is_floating_point() else images.float().div_(255)


# Draws: one value per image, from the generator alone


def between(images: Tensor, low: float, high: float, generator: Generator) -> Tensor:
    """float32 (N,), uniform in low..high."""
    return torch.rand(len(images), generator=generator, device=images.device) * (high - low) + low


def chance(images: Tensor, probability: float, generator: Generator) -> Tensor:
    """bool (N,), True with the given probability."""
    return torch.rand(len(images), generator=generator, device=images.device) < probability


def factors(images: Tensor, strength: float, generator: Generator) -> Tensor:
    """float32 (N,), uniform in 1 ± strength and at least 0."""
    return between(images, max(0.0, 1 - strength), 1 + strength, generator)


def whole_numbers(images: Tensor, limit: int, count: int, generator: Generator) -> Tensor:
    """int64 (N, count), uniform in -limit..limit."""
    return torch.randint(-limit, limit + 1, (len(images), count), generator=generator, device=images.device)


def places(images: Tensor, generator: Generator) -> Tensor:
    """int64 (N, 2): a row and a column inside the image."""
    size = constant(tuple(images.shape[-2:]), images.device)
    return (torch.rand(len(images), 2, generator=generator, device=images.device) * size).long()


# Geometry: keeps the dtype


def flip_left_right(images: Tensor, flipped: Tensor) -> Tensor:
    """Mirror the images where `flipped` (N,) is True."""
    both = torch.cat([images, images.flip(3)])  # picking whole images is 4 times faster than choosing pixel by pixel
    return both.index_select(0, torch.arange(len(images), device=images.device) + len(images) * flipped)


def shift(images: Tensor, moves: Tensor) -> Tensor:
    """Move each image down and right by `moves` (N, 2) whole pixels; what comes in is 0."""
    rows, columns = _grid(images.shape[2], images.shape[3], images.device)
    return _pick(images, rows - moves[:, :1], columns - moves[:, 1:])


def rotate(images: Tensor, degrees: Tensor) -> Tensor:
    """Turn each image counter-clockwise about its centre by `degrees` (N,), nearest pixel, as torchvision does."""
    height, width = images.shape[-2:]
    rows, columns = _grid(height, width, images.device)
    middle_row, middle_column = (height - 1) / 2, (width - 1) / 2
    plane = torch.stack([rows - middle_row, columns - middle_column, torch.ones_like(rows)])  # (3, H*W)
    angle = degrees * (math.pi / 180)
    cosine, sine, one = angle.cos(), angle.sin(), torch.ones_like(angle)
    source_rows = torch.stack([cosine, sine, middle_row * one], dim=1) @ plane
    source_columns = torch.stack([-sine, cosine, middle_column * one], dim=1) @ plane
    return _pick(images, source_rows, source_columns)


@lru_cache(maxsize=8)
def _grid(height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Row and column of every pixel, each float32 (H*W,)."""
    rows = torch.arange(height, dtype=torch.float32, device=device).repeat_interleave(width)
    return rows, torch.arange(width, dtype=torch.float32, device=device).repeat(height)


def _pick(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """For every output pixel the input pixel nearest to rows, columns, float32 (N, H*W); 0 where that lies outside.

    Overwrites rows and columns: these few passes in place are most of the work.
    """
    count, channels, height, width = images.shape
    framed = F.pad(images, (1, 1, 1, 1)).reshape(count, channels, -1)  # outside is a border of zeros
    rows.round_().clamp_(-1, height)
    columns.round_().clamp_(-1, width)
    source = columns.add_(rows, alpha=width + 2).add_(width + 3).long()  # exact up to 2**24 pixels
    return framed.gather(2, source.unsqueeze(1).expand(-1, channels, -1)).view(images.shape)


def cut_out(images: Tensor, centres: Tensor, size: int) -> Tensor:
    """Set a square of side `size` around `centres` (N, 2) to 0, cut off at the border."""
    rows, columns = _grid(images.shape[2], images.shape[3], images.device)
    top, left = (centres - size // 2).unbind(1)
    in_rows = (rows >= top[:, None]) & (rows < top[:, None] + size)
    in_columns = (columns >= left[:, None]) & (columns < left[:, None] + size)
    keep = ~(in_rows & in_columns)  # (N, H*W)
    return images * keep.view(len(images), 1, *images.shape[2:])


# Colour: gives float 0..1. Formulas are those of torchvision.transforms.functional, with a factor per image


def brighten(images: Tensor, factor: Tensor) -> Tensor:
    return (to_float(images) * factor.view(-1, 1, 1, 1)).clamp_(0, 1)


def contrast(images: Tensor, factor: Tensor) -> Tensor:
    """Away from or towards the mean grey of each image."""
    images = to_float(images)
    return _blend(images, _grey(images.mean(dim=(2, 3), keepdim=True)), factor)


def saturate(images: Tensor, factor: Tensor) -> Tensor:
    """Away from or towards grey. Greyscale images are unchanged."""
    images = to_float(images)
    return images if images.shape[1] != 3 else _blend(images, _grey(images), factor)


def turn_hue(images: Tensor, turn: Tensor) -> Tensor:
    """Turn the hue by `turn` (N,) of the colour circle. Greyscale images are unchanged."""
    images = to_float(images)
    if images.shape[1] != 3:
        return images
    value, _ = images.max(dim=1)
    chroma = value - images.amin(dim=1)
    hue = (_hue(images, value, chroma) + turn.view(-1, 1, 1)).remainder(1.0)
    # Channel c of the colour with this hue: value - chroma * clamp(min(k, 4 - k), 0, 1), k = (n_c + 6 hue) mod 6
    k = (constant((5.0, 3.0, 1.0), images.device).view(3, 1, 1) + 6 * hue.unsqueeze(1)).remainder(6.0)
    return value.unsqueeze(1) - chroma.unsqueeze(1) * torch.minimum(k, 4 - k).clamp(0, 1)


def _hue(images: Tensor, value: Tensor, chroma: Tensor) -> Tensor:
    """Hue (N, H, W) in 0..1 of images with the given value and chroma; 0 for grey."""
    red, green, blue = images.unbind(1)
    safe = torch.where(chroma == 0, 1.0, chroma)
    from_green = 2 + (blue - red) / safe
    from_blue = 4 + (red - green) / safe
    sixths = torch.where(value == red, (green - blue) / safe, torch.where(value == green, from_green, from_blue))
    return (sixths / 6).remainder(1.0)


def _grey(images: Tensor) -> Tensor:
    """Luma (N, 1, H, W)."""
    if images.shape[1] != 3:
        return images
    return (images * constant(GREY, images.device).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)


def _blend(images: Tensor, other: Tensor, factor: Tensor) -> Tensor:
    """factor * images + (1 - factor) * other, kept in 0..1; `other` broadcasts."""
    factor = factor.view(-1, 1, 1, 1)
    return (images * factor).add_(other * (1 - factor)).clamp_(0, 1)
