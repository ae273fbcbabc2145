"""Stratified, seeded splits of labelled images, in numpy alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SEED = 20240
VALIDATION_FRACTION = 0.10
TEST_FRACTION = 0.15  # where a source has no test images of its own


def stratified_part(
    labels: NDArray[np.int64], count: int, seed: int = SEED, keep: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """Sorted positions of `count` of the N labels, drawn so that each class keeps its share.

    Classes get count × share rounded down; what is left goes to the largest remainders, the lower label first.
    `keep`: by label, how many images of a class are not taken; where that leaves fewer than `count`, they are all.
    Raises ValueError when count is not in 0..N.
    """
    if not 0 <= count <= len(labels):
        raise ValueError(f"cannot take {count} of {len(labels)} images")
    keys = np.random.default_rng(seed).random(len(labels))
    chosen = [
        members[np.argsort(keys[members], kind="stable")[:quota]]
        for members, quota in zip(*_quotas(labels, count, keep), strict=True)
    ]
    return np.sort(np.concatenate([np.zeros(0, np.int64), *chosen]))


def make_splits(
    labels: NDArray[np.int64],
    is_test: NDArray[np.bool_] | None = None,
    is_validation: NDArray[np.bool_] | None = None,
    validation: float = VALIDATION_FRACTION,
    test: float = TEST_FRACTION,
    seed: int = SEED,
    least: int = 1,
) -> dict[str, NDArray[np.int64]]:
    """Sorted, disjoint int64 positions under "train", "validation" and "test" that cover every label.

    Without `is_test` the share `test` of all images, those for validation apart, becomes the test images; without
    `is_validation` the share `validation` of the others becomes validation. Each is stratified and has at least
    `least` images, as long as every class keeps an image to train on.
    """
    everything, one_each = np.arange(len(labels)), np.ones(labels.max(initial=-1) + 1, np.int64)
    taken = np.zeros(len(labels), bool) if is_validation is None else is_validation.copy()
    if is_test is None:
        free = everything[~taken]
        is_test = np.zeros(len(labels), bool)
        is_test[free[stratified_part(labels[free], _some(test, len(free), least), seed, one_each)]] = True
    if is_validation is None:
        free = everything[~is_test]
        taken[free[stratified_part(labels[free], _some(validation, len(free), least), seed + 1, one_each)]] = True
    return {"train": everything[~is_test & ~taken], "validation": everything[taken], "test": everything[is_test]}


def _some(share: float, count: int, least: int) -> int:
    return min(count, max(least, round(share * count)))


def _quotas(
    labels: NDArray[np.int64], count: int, keep: NDArray[np.int64] | None
) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    """The positions of each class, and how many of them to take."""
    members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    exact = np.array([len(positions) for positions in members]) * (count / max(len(labels), 1))
    quota = np.floor(exact).astype(np.int64)
    quota[np.argsort(quota - exact, kind="stable")[: count - quota.sum()]] += 1
    if keep is None:
        return members, quota
    room = np.array([len(positions) - keep[labels[positions[0]]] for positions in members], np.int64).clip(0)
    quota = np.minimum(quota, room)
    while (missing := count - quota.sum()) > 0 and (room > quota).any():
        behind = np.argsort(np.where(room > quota, quota - exact, np.inf), kind="stable")
        quota[behind[: min(missing, (room > quota).sum())]] += 1
    return members, quota
