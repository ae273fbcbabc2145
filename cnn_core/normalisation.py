"""The one formula of normalisation: pixel values minus the mean of their channel, divided by its standard deviation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LEAST_STD = 1e-6  # of a blank channel


def scale_and_shift(mean: Sequence[float], std: Sequence[float]) -> tuple[list[float], list[float]]:
    """For each channel a and b, so that a normalised value is a·x + b. `mean`, `std` and x: 0..1."""
    deviations = [max(value, LEAST_STD) for value in std]
    return [1 / value for value in deviations], [-m / s for m, s in zip(mean, deviations, strict=True)]


def normalised(pixels: NDArray[np.generic], mean: Sequence[float], std: Sequence[float]) -> NDArray[np.float32]:
    """(…, C, H, W) in 0..255 as float32."""
    scale, shift = (np.asarray(values, np.float32)[:, None, None] for values in scale_and_shift(mean, std))
    return np.asarray(np.asarray(pixels, np.float32) * (scale / np.float32(255)) + shift, np.float32)
