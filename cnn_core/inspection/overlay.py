"""An attribution over its image. numpy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BELOW, ABOVE = (232, 89, 12), (37, 99, 235)  # orange speaks against the class, blue for it
RISING = ((91, 33, 182), (192, 38, 211), (244, 114, 182), (253, 224, 71))  # from little to much


def overlay(
    image: NDArray[np.uint8], values: NDArray[np.float32], signed: bool, strength: float = 0.65, scale: float = 0.0
) -> NDArray[np.uint8]:
    """`image` (C, H, W) in grey with an attribution (H, W) over it: uint8 (H, W, 3).

    `signed`: orange below zero and blue above it, else from violet over pink to yellow. How opaque a pixel is grows
    with the square root of its size: `scale` (the largest absolute value where it is 0) is drawn with `strength`, 0..1,
    zero not at all.
    """
    grey = image.astype(np.float32).mean(0)[..., None].repeat(3, 2)
    values = np.nan_to_num(values.astype(np.float32))
    size = np.clip(np.abs(values) / (scale or float(np.abs(values).max()) or 1.0), 0, 1)
    sides = np.array([ABOVE, BELOW], np.float32)
    colour = sides[(values < 0).astype(int)] if signed else _rising(size)
    opacity = (strength * np.sqrt(size))[..., None]
    return np.rint(grey * (1 - opacity) + colour * opacity).astype(np.uint8)


def colour_bar(signed: bool, strength: float = 0.65, width: int = 128) -> NDArray[np.uint8]:
    """The colours of `overlay` over middle grey from the least value, -scale or 0, to scale: uint8 (1, width, 3)."""
    values = np.linspace(-1 if signed else 0, 1, width, dtype=np.float32)[None]
    return overlay(np.full((1, 1, width), 128, np.uint8), values, signed, strength, 1.0)


def _rising(size: NDArray[np.floating]) -> NDArray[np.float32]:
    """(H, W) in 0..1 -> (H, W, 3)."""
    places = np.linspace(0, 1, len(RISING))
    channels = [np.interp(size, places, channel) for channel in np.array(RISING, np.float32).T]
    return np.stack(channels, axis=2).astype(np.float32)
