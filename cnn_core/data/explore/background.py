"""Whether images show light things on dark or dark things on light, told by their borders."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cnn_core.data.explore.resample import grey

Background = Literal["dark", "light"]

EDGE = 14  # the border is a fourteenth of the side wide, two pixels of 28, and at least one
DARK, LIGHT = 85, 170  # grey values: the lower and the upper third
UNIFORM = 0.95  # share of the images whose border must be dark, or light, for that to be the background of all


def border_brightness(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, C, H, W) -> (N,): the median grey value of the border pixels, 0…255.

    A thing that reaches over a part of the border does not change a median.
    """
    width = max(1, min(images.shape[-2:]) // EDGE)
    border = np.ones(images.shape[-2:], bool)
    border[width:-width, width:-width] = False
    return np.median(grey(images)[:, border], axis=1)


def common_background(images: NDArray[np.uint8]) -> Background | None:
    """The background that 95% of the images (N, C, H, W) have; None where there is none, as with most photos."""
    brightness = border_brightness(images)
    if (brightness < DARK).mean() >= UNIFORM:
        return "dark"
    if (brightness > LIGHT).mean() >= UNIFORM:
        return "light"
    return None


def inversion_suits(images: NDArray[np.uint8], background: Background | None) -> NDArray[np.bool_]:
    """(N, C, H, W) -> (N,): whether an image has the opposite of the training images' background.

    MEASURED
    """
    brightness = border_brightness(images)
    return brightness > LIGHT if background == "dark" else (background == "light") & (brightness < DARK)
