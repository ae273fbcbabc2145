"""Colour of a batch (N, C, H, W) with one drawn value per image: gives float32 0..1, and `invert` either dtype.

The formulas are those of torchvision.transforms.functional. Greyscale images have neither saturation nor hue.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from cnn_core.data.augmentation.batch_draws import constant, to_float
from cnn_core.data.augmentation.batch_geometry import choose

GREY = (0.2989, 0.587, 0.114)  # ITU-R 601-2 luma, as Pillow and torchvision


def brighten(images: Tensor, factor: Tensor) -> Tensor:
    return (to_float(images) * factor.view(-1, 1, 1, 1)).clamp_(0, 1)


def contrast(images: Tensor, factor: Tensor) -> Tensor:
    """Away from or towards the mean grey of each image."""
    images = to_float(images)
    return _blend(images, _grey(images.mean(dim=(2, 3), keepdim=True)), factor)


def saturate(images: Tensor, factor: Tensor) -> Tensor:
    """Away from or towards grey; a factor of 0 is grey. Greyscale images are unchanged."""
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


def invert(images: Tensor, inverted: Tensor) -> Tensor:
    """Swap light and dark where `inverted` (N,) is True; keeps the dtype."""
    return choose(images, (1 if images.is_floating_point() else 255) - images, inverted)


def blur(images: Tensor, sigma: Tensor, radius: int) -> Tensor:
    """Gaussian blur, cut off at `radius` pixels, of `sigma` (N,) pixels; the edge is continued by its mirror image."""
    images = to_float(images)
    steps = torch.arange(-radius, radius + 1, device=images.device)
    weights = torch.exp(-0.5 * (steps / sigma.clamp_min(1e-3)[:, None]) ** 2)  # (N, 2 * radius + 1)
    weights = weights / weights.sum(dim=1, keepdim=True)
    padded = F.pad(images, (radius, radius, radius, radius), mode="reflect")
    return _weighted_sum(_weighted_sum(padded, weights, 2), weights, 3)


def _weighted_sum(images: Tensor, weights: Tensor, axis: int) -> Tensor:
    """Slide `weights` (N, K) along an axis, which becomes K - 1 shorter: a few passes over the batch."""
    size = images.shape[axis] - weights.shape[1] + 1
    total = torch.zeros_like(images.narrow(axis, 0, size))
    for place, weight in enumerate(weights.unbind(1)):
        total.addcmul_(images.narrow(axis, place, size), weight.view(-1, 1, 1, 1))
    return total


def sharpen(images: Tensor, factor: Tensor) -> Tensor:
    """Away from (above 1) or towards a slightly smoothed image. The pixels at the edge are unchanged, as in Pillow."""
    images = to_float(images)
    if min(images.shape[2:]) <= 2:
        return images
    smooth = images.clone()
    inner = smooth[:, :, 1:-1, 1:-1]  # weights 1 around 5, over 13
    around = F.avg_pool2d(images, 3, stride=1) * (9 / 13)
    inner.mul_(4 / 13).add_(around)
    return _blend(images, smooth, factor)


def add_noise(images: Tensor, noise: Tensor, deviation: Tensor) -> Tensor:
    """Add `noise` (N, C, H, W), standard normal, times `deviation` (N,)."""
    return (to_float(images) + noise * deviation.view(-1, 1, 1, 1)).clamp_(0, 1)


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
