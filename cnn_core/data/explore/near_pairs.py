"""Pairs of images that look the same: a perceptual hash proposes, the pixels decide."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from cnn_core.data.dataset import ImageDataset
from cnn_core.data.explore.chunks import chunks
from cnn_core.data.explore.resample import grey, resampling

SMALL, LOW = 32, 8  # side of the grey version and of the block of low frequencies, as in imagehash
DISTANCE = 6  # bits of 64 in which the hashes of copies may differ
BANDS = [np.uint64(sum(1 << bit for bit in range(first, 64, 9))) for first in range(9)]  # masks of every ninth bit
NEIGHBOURS = 24  # images compared with each one in a bucket: a bucket of thousands would take millions of comparisons
MOST_PAIRS = 5_000_000  # where so many are similar, more comparisons find no other groups
SIMILAR = 0.99  # correlation of the pixels of copies
FLAT = 1.0  # grey values: an image with a smaller standard deviation shows nothing that could be compared


def near_pairs(dataset: ImageDataset, positions: NDArray[np.int64]) -> NDArray[np.int64]:
    """int64 (P, 2): places in `positions` of images that look the same."""
    waves = frequencies(dataset, positions)
    pairs = candidates(perceptual_hashes(waves))
    pairs = pairs[_correlation(waves[:, 1:], pairs) > SIMILAR - 0.01]  # without the mean; cheap, and settles most
    return pairs[_pixel_correlation(dataset, positions, pairs) > SIMILAR]


def frequencies(dataset: ImageDataset, positions: NDArray[np.int64]) -> NDArray[np.float32]:
    """float32 (N, 64): the lowest 8 × 8 coefficients of the cosine transform of a 32 × 32 grey version."""
    from scipy.fft import dct

    cosines = dct(np.eye(SMALL, dtype=np.float32), axis=0)[:LOW]
    rows, columns = (cosines @ resampling(side, SMALL) for side in dataset.shape[1:])  # two linear steps are one
    waves = np.empty((len(positions), LOW * LOW), np.float32)
    for part, images in chunks(dataset.images, positions):
        waves[part] = (rows @ grey(images) @ columns.T).reshape(len(images), -1)
    return waves


def perceptual_hashes(waves: NDArray[np.float32]) -> NDArray[np.uint64]:
    """(N,): 64 bits, set where a coefficient is above the median of its image."""
    bits = np.packbits(waves > np.median(waves, axis=1, keepdims=True), axis=1)
    return bits.view(np.uint64)[:, 0]


def candidates(hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """int64 (P, 2), first < second: pairs of hashes (N,) that differ in at most `DISTANCE` of 64 bits.

    Few wrong bits touch few of the nine bands, so such hashes agree in three of them: for each choice of three, equal
    ones lie side by side once sorted. In a bucket of more than `NEIGHBOURS` not every pair is compared.
    """
    known = np.zeros(0, np.int64)
    masks = [np.bitwise_or.reduce(bands) for bands in combinations(BANDS, len(BANDS) - DISTANCE)]
    for several in (masks[at : at + 12] for at in range(0, len(masks), 12)):  # so that what is found twice stays small
        pairs = [first * len(hashes) + second for mask in several for first, second in _same_bucket(hashes, mask)]
        known = np.unique(np.concatenate([known, *pairs]))
        if len(known) > MOST_PAIRS:
            break
    first, second = np.divmod(known, max(len(hashes), 1))
    return np.stack([first, second], axis=1)


def _same_bucket(hashes: NDArray[np.uint64], mask: np.uint64) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs of near hashes that agree in the bits of `mask`, the smaller place first."""
    key = hashes & mask
    order = np.argsort(key, kind="stable")
    key, whole = key[order], hashes[order]
    for step in range(1, NEIGHBOURS + 1):
        together = np.flatnonzero(key[step:] == key[:-step])
        if not len(together):
            return
        near = together[np.bitwise_count(whole[together] ^ whole[together + step]) <= DISTANCE]
        ends = np.stack([order[near], order[near + step]])
        yield ends.min(axis=0), ends.max(axis=0)


def _correlation(rows: NDArray[np.float32], pairs: NDArray[np.int64]) -> NDArray[np.float32]:
    """(P,): cosine of the angle between the two rows (N, F) of each pair."""
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    return np.einsum("pf,pf->p", unit[pairs[:, 0]], unit[pairs[:, 1]])


def _pixel_correlation(
    dataset: ImageDataset, positions: NDArray[np.int64], pairs: NDArray[np.int64]
) -> NDArray[np.float32]:
    """(P,): Pearson's correlation of all pixels, colours included, so that brightness and contrast do not count.

    0 where an image is flat.
    """
    result = np.zeros(len(pairs), np.float32)
    for part, first in chunks(dataset.images, positions[pairs[:, 0]]):
        one, two = (_centred(images) for images in (first, dataset.images[positions[pairs[part, 1]]]))
        power = np.linalg.norm(one, axis=1), np.linalg.norm(two, axis=1)
        least = FLAT * np.sqrt(one.shape[1])
        shown = np.minimum(*power) > least
        product = np.einsum("pf,pf->p", one, two)
        result[part] = np.where(shown, product / np.maximum(power[0] * power[1], 1e-6), 0)
    return result


def _centred(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    rows = images.reshape(len(images), -1).astype(np.float32)
    return rows - rows.mean(axis=1, keepdims=True)
