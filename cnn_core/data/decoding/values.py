"""Images with more than 8 bits a value, scaled to 0–255 by one rule."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TOPS = (2**8 - 1, 2**10 - 1, 2**12 - 1, 2**14 - 1, 2**16 - 1)  # of the bits that cameras and scanners write
CHUNK = 2**20  # values scaled at once: the numbers in between need 8 bytes each
LARGEST = float(np.finfo(np.float32).max)
OWN_RANGE = "Each image's own range of values, least to greatest, became 0 to 255."


def to_bytes(values: NDArray[np.generic], top: int = 0) -> tuple[NDArray[np.uint8], str]:
    """Whole or floating-point values of one image, any shape, as uint8 of the same shape, and the rule in a sentence.

    Black is 0, and white is `top` where the file states it. Else white is the first of 1 (floating point only), 255,
    1,023, 4,095, 16,383 and 65,535 that no value exceeds, for a file says 16 bits where a camera used 12. Where values
    are negative or greater, black and white are the least and the greatest one. What is not a number counts as 0.
    """
    low, high, sentence = _range(values, top)
    flat, scaled = values.reshape(-1), np.empty(values.size, np.uint8)
    for at in range(0, len(flat), CHUNK):
        part = _finite(flat[at : at + CHUNK])
        scaled[at : at + CHUNK] = np.rint(np.clip((part - low) * (255 / (high - low or 1.0)), 0, 255))
    return scaled.reshape(values.shape), sentence


def _range(values: NDArray[np.generic], top: int) -> tuple[float, float, str]:
    if top:
        return 0.0, float(top), _sentence(top)
    flat = values.reshape(-1)
    parts = (_finite(flat[at : at + CHUNK]) for at in range(0, len(flat), CHUNK))
    lows, highs = zip(*((part.min(), part.max()) for part in parts), strict=True)
    low, high = float(min(lows)), float(max(highs))
    tops = (1, *TOPS) if values.dtype.kind == "f" else TOPS
    if low >= 0 and high <= tops[-1]:
        white = next(top for top in tops if high <= top)
        return 0.0, float(white), _sentence(white)
    return low, high, OWN_RANGE


def _sentence(top: int) -> str:
    return f"Values from 0 to {top:,} became 0 to 255."


def _finite(values: NDArray[np.generic]) -> NDArray[np.float64]:
    numbers = np.nan_to_num(values.astype(np.float64), posinf=LARGEST, neginf=-LARGEST)
    return np.clip(numbers, -LARGEST, LARGEST)
