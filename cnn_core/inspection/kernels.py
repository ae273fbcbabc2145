"""Kernels of image processing, to be put in the place of learned ones. numpy only."""

from __future__ import annotations

from math import comb

import numpy as np
from numpy.typing import NDArray

from cnn_core.errors import PlaygroundError

Kernel = NDArray[np.float32]
NAMES = ("sobel_x", "sobel_y", "blur", "identity", "random")


def standard_kernel(name: str, size: int, seed: int = 0) -> Kernel:
    """float32 (size, size), to be laid on the image without flipping it, as convolutions of networks do.

    "sobel_x": smoothing down, times a difference across, light minus dark from left to right: positive where the image
    gets lighter to the right. "sobel_y": the same from top to bottom. At 3 × 3 [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    (Sobel & Feldman 1968); at other sizes binomial, as `getDerivKernels` of OpenCV makes them.
    "blur": binomial, an approximate Gaussian of standard deviation √(size - 1) / 2 pixels; its sum is 1.
    "identity": 1 in the middle, at size // 2. "random": normal with mean 0 and variance 1, drawn from `seed`.
    Raises PlaygroundError for another name, and for a Sobel of one pixel, which has no neighbour to differ from.
    """
    if name == "random":
        return np.random.default_rng(seed).standard_normal((size, size)).astype(np.float32)
    if name == "identity":
        return fitted(np.ones((1, 1), np.float32), size, size)
    smooth = _binomial(size)
    if name == "blur":
        return np.outer(smooth, smooth).astype(np.float32) / np.float32(4 ** (size - 1))
    if name not in ("sobel_x", "sobel_y"):
        raise PlaygroundError(f"There is no kernel called {name}. Choose one of: {', '.join(NAMES)}.")
    if size < 2:
        raise PlaygroundError("A 1×1 kernel sees a single pixel and finds no edges. Choose another kernel or layer.")
    across = np.outer(smooth, _difference(size)).astype(np.float32)
    return across if name == "sobel_x" else np.ascontiguousarray(across.T)


def fitted(kernel: Kernel, height: int, width: int) -> Kernel:
    """A kernel (h, w) as (height, width): cut, or zeros added around it. The middle, at h // 2 and w // 2, stays."""
    result = np.zeros((height, width), np.float32)
    (into_y, from_y), (into_x, from_x) = _overlap(height, kernel.shape[0]), _overlap(width, kernel.shape[1])
    result[into_y, into_x] = kernel[from_y, from_x]
    return result


def with_norm_of(kernels: NDArray[np.floating], old: NDArray[np.floating]) -> Kernel:
    """Kernels (…, h, w), each times a positive number that gives it the Frobenius norm (the root of the sum of squares)
    of the one in `old` (…, h, w): the next layer gets values of a similar size. One of zeros stays zero."""
    mine, theirs = (np.sqrt(np.square(some, dtype=np.float64).sum((-2, -1), keepdims=True)) for some in (kernels, old))
    return (kernels * (theirs / np.where(mine > 0, mine, 1))).astype(np.float32)


def _binomial(size: int) -> NDArray[np.float64]:
    return np.array([comb(size - 1, k) for k in range(size)], np.float64)


def _difference(size: int) -> NDArray[np.float64]:
    """A binomial of size - 1, minus itself one place further left."""
    smooth = _binomial(size - 1)
    return np.append(0, smooth) - np.append(smooth, 0)


def _overlap(size: int, kernel: int) -> tuple[slice, slice]:
    """Where a side of `kernel` comes to lie in one of `size`, middle on middle: there, and in the kernel."""
    start = size // 2 - kernel // 2
    first, last = max(start, 0), min(start + kernel, size)
    return slice(first, last), slice(first - start, last - start)
