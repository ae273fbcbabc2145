"""Whether two runs differ by more than the chance of which images were tested. Needs no torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, norm, ttest_rel

from cnn_core.runs.folder import Predictions

LEVEL = 0.05  # p-value below which a difference counts


@dataclass(frozen=True)
class Outcome:
    """The result of a run's test. `predictions` are None where they are not kept, `images` then too."""

    accuracy: float  # 0..1
    predictions: Predictions | None = None

    @property
    def images(self) -> int:
        return 0 if self.predictions is None else len(self.predictions.labels)


def accuracies_differ(a: Outcome, b: Outcome) -> bool:
    """Exact McNemar test where both were tested on the same images, else the test of two proportions.

    False where one of the two numbers of test images is not known.
    """
    if a.predictions is not None and b.predictions is not None and same_images(a.predictions, b.predictions):
        return mcnemar(_correct(a.predictions), _correct(b.predictions)) < LEVEL
    return bool(a.images and b.images) and two_proportions(a.accuracy, a.images, b.accuracy, b.images) < LEVEL


def losses_differ(a: Predictions | None, b: Predictions | None) -> bool:
    """Paired t-test of the cross-entropies image by image; False where the same images were not tested."""
    if a is None or b is None or not same_images(a, b):
        return False
    differences = _losses(a) - _losses(b)
    if not differences.any() or len(differences) < 2:
        return False
    if np.ptp(differences) == 0:
        return True
    return float(ttest_rel(_losses(a), _losses(b)).pvalue) < LEVEL


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """p-value of the exact McNemar test on two rows of right (True) and wrong answers to the same questions:
    of the images that only one of them got right, does each get half but for chance?"""
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    apart = only_first + only_second
    return float(binomtest(only_first, apart).pvalue) if apart else 1.0


def two_proportions(first: float, images: int, second: float, others: int) -> float:
    """p-value of the z-test with the pooled binomial standard error, for tests on different images."""
    pooled = (first * images + second * others) / (images + others)
    error = math.sqrt(pooled * (1 - pooled) * (1 / images + 1 / others))
    return float(2 * norm.sf(abs(first - second) / error)) if error else float(first == second)


def same_images(a: Predictions, b: Predictions) -> bool:
    """Whether both tested the same positions with the same labels."""
    return np.array_equal(a.indices, b.indices) and np.array_equal(a.labels, b.labels)


def marked(values: Sequence[float | None], larger: bool, differ: Callable[[int, int], bool]) -> list[bool]:
    """Which of several values are the best: the largest or the smallest, with all that do not `differ` from it (asked
    by position). None is where all are best: then nothing is better than anything."""
    known = [place for place, value in enumerate(values) if value is not None]
    if not known:
        return [False] * len(values)
    top = (max if larger else min)(known, key=lambda place: values[place])  # type: ignore[arg-type,return-value]
    best = {place for place in known if place == top or values[place] == values[top] or not differ(top, place)}
    return [place in best and len(best) < len(known) for place in range(len(values))]


def _correct(predictions: Predictions) -> NDArray[np.bool_]:
    return np.asarray(predictions.predicted == predictions.labels)


def _losses(predictions: Predictions) -> NDArray[np.float64]:
    """Cross-entropy of each image in nats."""
    likely = predictions.probabilities[np.arange(len(predictions.labels)), predictions.labels]
    return -np.log(np.clip(likely.astype(np.float64), 1e-12, 1))
