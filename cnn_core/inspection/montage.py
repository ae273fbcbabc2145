"""Many maps as one image. numpy only."""

from __future__ import annotations

from math import ceil, isqrt
from typing import Literal

import numpy as np

Scale = Literal["sequential", "diverging"]

LEVELS = 255  # an odd number, so that a diverging scale has a middle for exactly zero
STRIP = 64  # numbers of a row before a strip wraps
# Low to high, evenly spaced: lightness rises steadily in the first and falls to both sides of zero in the second.
SEQUENTIAL = ("#0B1022", "#1A2F63", "#2F5BA8", "#5B93D6", "#A3CBEC", "#F5FAFF")
DIVERGING = ("#7C2D12", "#C2570C", "#F1B98E", "#F6F6F6", "#A9C4EA", "#2F6CBF", "#1B3670")
BETWEEN = "#80889A"  # gaps and empty cells: seen on a light and on a dark page


def montage(
    maps: np.ndarray, columns: int | None = None, scale: Scale = "sequential", shared: bool = True, gap: int = 1
) -> np.ndarray:
    """Maps side by side, row by row, as uint8 RGB (H, W, 3), one pixel a value and `gap` pixels between maps.

    `maps`: (C, H, W), or (F,) drawn as one strip, a pixel a number, wrapped after `columns` (64). `columns`: maps a
    row; None makes the image about square. "sequential" runs from the least value (dark) to the greatest (light);
    "diverging" is centred on zero: orange below, blue above. `shared`: one scale for all maps, so that colours
    compare between them; otherwise each map has its own and weak ones show too. What is not finite counts as zero.
    Raises ValueError for an empty array or another number of dimensions.
    """
    maps = np.nan_to_num(np.asarray(maps, dtype=np.float32), posinf=0, neginf=0)
    if maps.size == 0 or maps.ndim not in (1, 3):
        raise ValueError(f"maps must be (C, H, W) or (F,) and not empty, not {maps.shape}")
    levels = _levels(maps[:, None] if maps.ndim == 3 and not shared else maps[None], scale)
    if maps.ndim == 1:
        levels, columns, gap = levels.reshape(-1, 1, 1), columns or min(len(maps), STRIP), 0
    else:
        levels = levels.reshape(maps.shape)
    return _colours(scale)[_grid(levels, columns or balanced_columns(len(levels)), gap)]


def enlarge(image: np.ndarray, least_width: int) -> np.ndarray:
    """(H, W, …) with every pixel repeated into a square, so that the image is at least `least_width` wide."""
    factor = max(1, ceil(least_width / image.shape[1]))
    return image.repeat(factor, axis=0).repeat(factor, axis=1)


def balanced_columns(count: int) -> int:
    """Columns for a wide grid of `count`, full where a count between √count and 2√count divides it."""
    least = isqrt(count - 1) + 1
    return next((columns for columns in range(least, 2 * least) if count % columns == 0), least)


def _levels(groups: np.ndarray, scale: Scale) -> np.ndarray:
    """(groups, …) -> the same shape, 0…254, each group on its own scale."""
    inside = tuple(range(1, groups.ndim))
    low = groups.min(inside, keepdims=True).astype(np.float64)  # float64: the span of float32 can overflow
    high = groups.max(inside, keepdims=True).astype(np.float64)
    if scale == "diverging":
        high = np.maximum(np.maximum(high, -low), np.finfo(np.float32).tiny)  # all zero stays in the middle
        low = -high
    span = np.where(high > low, high - low, 1)
    return np.rint((groups - low) * ((LEVELS - 1) / span)).astype(np.uint8)


def _grid(levels: np.ndarray, columns: int, gap: int) -> np.ndarray:
    """(C, H, W) levels -> (rows·(H+gap) - gap, columns·(W+gap) - gap), LEVELS where there is no map."""
    count, height, width = levels.shape
    rows = ceil(count / columns)
    cells = np.full((rows * columns, height + gap, width + gap), LEVELS, np.uint8)
    cells[:count, :height, :width] = levels
    image = cells.reshape(rows, columns, height + gap, width + gap).swapaxes(1, 2)
    return image.reshape(rows * (height + gap), -1)[: -gap or None, : -gap or None]


def _colours(scale: Scale) -> np.ndarray:
    """uint8 (LEVELS + 1, 3): the scale's colours and, last, the one between maps."""
    knots = np.array([_rgb(colour) for colour in (DIVERGING if scale == "diverging" else SEQUENTIAL)], np.float64)
    places = np.linspace(0, len(knots) - 1, LEVELS)
    ramp = [np.interp(places, np.arange(len(knots)), channel) for channel in knots.T]
    return np.vstack([np.rint(np.stack(ramp, axis=1)), _rgb(BETWEEN)]).astype(np.uint8)


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))
