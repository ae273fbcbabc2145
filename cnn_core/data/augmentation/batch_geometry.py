"""Geometry of a batch (N, C, H, W) with one drawn value per image: keeps the dtype, what comes in is 0 (black)."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

Weights = tuple[Tensor, Tensor]  # each (N,)


def flip_left_right(images: Tensor, flipped: Tensor) -> Tensor:
    """Mirror the images where `flipped` (N,) is True."""
    return choose(images, images.flip(3), flipped)


def flip_top_bottom(images: Tensor, flipped: Tensor) -> Tensor:
    """Turn the images upside down, as in water, where `flipped` (N,) is True."""
    return choose(images, images.flip(2), flipped)


def choose(images: Tensor, changed: Tensor, chosen: Tensor) -> Tensor:
    """The changed image where `chosen` (N,) is True, else the image itself."""
    both = torch.cat([images, changed])  # picking whole images is 4 times faster than choosing pixel by pixel
    return both.index_select(0, torch.arange(len(images), device=images.device) + len(images) * chosen)


def shift(images: Tensor, moves: Tensor) -> Tensor:
    """Move each image down and right by `moves` (N, 2) whole pixels."""
    rows, columns = _grid(images.shape[2], images.shape[3], images.device)
    return _pick(images, rows - moves[:, :1], columns - moves[:, 1:])


def rotate(images: Tensor, degrees: Tensor) -> Tensor:
    """Turn each image counter-clockwise about its centre by `degrees` (N,), nearest pixel, as torchvision does."""
    angle = degrees * (math.pi / 180)
    cosine, sine = angle.cos(), angle.sin()
    return _transform(images, (cosine, sine), (-sine, cosine))


def scale(images: Tensor, factor: Tensor) -> Tensor:
    """Enlarge each image about its centre by `factor` (N,), nearest pixel."""
    inverse, zero = 1 / factor, torch.zeros_like(factor)
    return _transform(images, (inverse, zero), (zero, inverse))


def shear(images: Tensor, across: Tensor, down: Tensor) -> Tensor:
    """Lean each image by angles in degrees, each (N,): `across` moves its rows sideways, `down` its columns."""
    x, y = (torch.tan(degrees * (math.pi / 180)) for degrees in (across, down))
    return _transform(images, (torch.ones_like(x), y), (x, 1 + x * y))


def _transform(images: Tensor, for_rows: Weights, for_columns: Weights) -> Tensor:
    """Every pixel from source row a * r + b * c and source column d * r + e * c, r and c from the image's centre.

    for_rows: a and b. for_columns: d and e.
    """
    height, width = images.shape[-2:]
    rows, columns = _grid(height, width, images.device)
    middle_row, middle_column = (height - 1) / 2, (width - 1) / 2
    plane = torch.stack([rows - middle_row, columns - middle_column, torch.ones_like(rows)])  # (3, H*W)
    one = torch.ones_like(for_rows[0])
    source_rows = torch.stack([*for_rows, middle_row * one], dim=1) @ plane
    source_columns = torch.stack([*for_columns, middle_column * one], dim=1) @ plane
    return _pick(images, source_rows, source_columns)


def perspective(images: Tensor, corners: Tensor) -> Tensor:
    """Move the four corners of each image, nearest pixel.

    corners: float32 (N, 4, 2), x and y in pixels from the top left edge of where the corners at top left, top right,
    bottom right and bottom left go; the image's own are (0, 0), (W, 0), (W, H), (0, H). They have to stay convex.
    """
    height, width = images.shape[-2:]
    rows, columns = _grid(height, width, images.device)
    plane = torch.stack([columns + 0.5, rows + 0.5, torch.ones_like(rows)])  # (3, H*W), centres of the pixels
    x, y, depth = (_to_unit_square(corners) @ plane).unbind(1)  # (N, H*W) each, x and y of the unit square
    seen = depth > 1e-6  # beyond the horizon there is nothing
    x, y = (torch.where(seen, across / depth, -1.0) for across in (x, y))
    return _pick(images, y * height - 0.5, x * width - 0.5)


def _to_unit_square(corners: Tensor) -> Tensor:
    """(N, 3, 3): the homographies that take four corners (N, 4, 2) to those of the unit square.

    The way there from the square is Heckbert's (1989, Fundamentals of texture mapping, section 2.2.3), and the way
    back its adjugate: a homography has no scale. Without solving equations, which would wait for a GPU.
    """
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = (corner.unbind(1) for corner in corners.unbind(1))
    sum_x, sum_y = x0 - x1 + x2 - x3, y0 - y1 + y2 - y3
    area = (x1 - x2) * (y3 - y2) - (x3 - x2) * (y1 - y2)
    g = (sum_x * (y3 - y2) - (x3 - x2) * sum_y) / area
    h = ((x1 - x2) * sum_y - sum_x * (y1 - y2)) / area
    first = torch.stack([x1 - x0 + g * x1, y1 - y0 + g * y1, g], dim=1)  # columns of the way there
    second = torch.stack([x3 - x0 + h * x3, y3 - y0 + h * y3, h], dim=1)
    third = torch.stack([x0, y0, torch.ones_like(x0)], dim=1)
    pairs = ((second, third), (third, first), (first, second))
    return torch.stack([torch.linalg.cross(left, right) for left, right in pairs], dim=1)


def crop_reflected(images: Tensor, moves: Tensor) -> Tensor:
    """The window moved down and right by `moves` (N, 2) pixels over the image, continued by its mirror images."""
    count, channels, height, width = images.shape
    rows = _reflected(height, moves[:, :1])
    columns = _reflected(width, moves[:, 1:])
    source = (rows[:, :, None] * width + columns[:, None, :]).view(count, 1, -1)
    return images.flatten(2).gather(2, source.expand(-1, channels, -1)).view(images.shape)


def _reflected(side: int, moves: Tensor) -> Tensor:
    """int64 (N, side): for every place of the window the place in the image; the edge itself is not repeated."""
    last = side - 1
    places = torch.arange(side, device=moves.device) + moves.clamp(-last, last)
    return last - (last - places.abs()).abs()


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
