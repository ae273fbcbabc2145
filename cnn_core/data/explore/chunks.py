"""Images of a data set a few at a time, so that a data set larger than memory can be read from end to end."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

CHUNK = 8 * 2**20  # bytes of pixels at once


def chunks(
    images: NDArray[np.uint8], positions: NDArray[np.int64], most: int = CHUNK
) -> Iterator[tuple[slice, NDArray[np.uint8]]]:
    """Slices that cover `positions` one after the other, and `images[positions[slice]]` of at most about `most` bytes.

    Positions in ascending order are read fastest.
    """
    step = max(1, most // math.prod(images.shape[1:]))
    for start in range(0, len(positions), step):
        part = slice(start, min(start + step, len(positions)))
        yield part, images[positions[part]]
