"""Many images resized to a smaller or larger square at once: a product of matrices."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

RED_GREEN_BLUE = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as in Pillow's convert("L")


def grey(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 (N, C, H, W), one channel or three, as brightness 0…255: float32 (N, H, W)."""
    if images.shape[1] == 1:
        return images[:, 0].astype(np.float32)
    return np.einsum("nchw,c->nhw", images, RED_GREEN_BLUE, dtype=np.float32, casting="unsafe")


@lru_cache(maxsize=32)
def resampling(before: int, after: int) -> NDArray[np.float32]:
    """(after, before): the matrix by which Pillow's Lanczos filter scales a column of pixels.

    A linear filter is known by what it makes of each unit vector, so Pillow itself is asked.
    """
    units = Image.fromarray(np.eye(before, dtype=np.float32))
    matrix = np.asarray(units.resize((before, after), Image.Resampling.LANCZOS))
    matrix.setflags(write=False)
    return matrix


def resampled(images: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """uint8 (N, C, H, W) scaled to float32 (N, C, side, side); values may leave 0…255 a little at sharp edges."""
    rows, columns = (resampling(before, side) for before in images.shape[2:])
    return rows @ images.astype(np.float32) @ columns.T
