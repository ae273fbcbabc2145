"""Brightness and contrast of images, the values of their pixels, and which images are unlike the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnn_core.data.dataset import ImageDataset
from cnn_core.data.explore.chunks import chunks
from cnn_core.data.explore.resample import grey

MOST = 20_000  # images that statistics of a split are made from
UNUSUAL = 3.5  # Iglewicz and Hoaglin, "How to detect and handle outliers" (1993)


@dataclass(frozen=True, eq=False)
class Tones:
    """In grey values 0…255, one number an image."""

    positions: NDArray[np.int64]  # (n,), ascending, in the data set
    brightness: NDArray[np.float32]  # (n,): mean of its pixels
    contrast: NDArray[np.float32]  # (n,): their standard deviation (root mean square contrast, Peli 1990)


def drawn(dataset: ImageDataset, split: str, most: int = MOST, seed: int = 0) -> NDArray[np.int64]:
    """All positions of a split, ascending, or at most `most` of them drawn at random."""
    positions = dataset.splits[split]
    if len(positions) <= most:
        return positions
    return np.sort(np.random.default_rng(seed).choice(positions, most, replace=False))


def channel_histogram(dataset: ImageDataset, positions: NDArray[np.int64]) -> NDArray[np.int64]:
    """int64 (C, 256): how many pixels have each value, channel by channel."""
    counts = np.zeros((dataset.shape[0], 256), np.int64)
    for _, images in chunks(dataset.images, positions):
        for channel, values in enumerate(images.swapaxes(0, 1)):
            counts[channel] += np.bincount(values.ravel(), minlength=256)
    return counts


def mean_and_deviation(counts: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of a histogram (C, 256): mean and standard deviation of each channel, in grey values, (C,) each."""
    values = np.arange(256)
    mean = counts @ values / counts.sum(1)
    return mean, np.sqrt(np.maximum(counts @ values**2 / counts.sum(1) - mean**2, 0))


def tones(dataset: ImageDataset, positions: NDArray[np.int64]) -> Tones:
    """Brightness and contrast of the images at `positions`, as grey."""
    brightness, contrast = np.empty((2, len(positions)), np.float32)
    for part, images in chunks(dataset.images, positions):
        pixels = grey(images).reshape(len(images), -1)
        brightness[part], contrast[part] = pixels.mean(1), pixels.std(1)
    return Tones(positions, brightness, contrast)


def usual_range(values: NDArray[np.float32]) -> tuple[float, float]:
    """Median ± 3.5 · MAD / 0.6745: what lies outside is unusual, however many such values there are.

    MAD, the median absolute deviation, is 0.6745 standard deviations where values are normally distributed.
    """
    middle = np.median(values)
    reach = UNUSUAL * np.median(np.abs(values - middle)) / 0.6745
    return float(middle - reach), float(middle + reach)
