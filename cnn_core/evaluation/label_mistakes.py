"""Which labels are likely wrong, by confident learning. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Suspects:
    """Images whose label a network contradicts with confidence, the likeliest mistakes first."""

    rows: NDArray[np.int64]  # (n,), into the arrays they were found in
    given: NDArray[np.int64]  # (n,): the label
    suggested: NDArray[np.int64]  # (n,): the class the network is confident of
    probability: NDArray[np.float32]  # (n,): of the suggested class
    margin: NDArray[np.float32]  # (n,), -1…1: probability of the suggested class less that of the label

    def first(self, count: int) -> Suspects:
        """The `count` likeliest mistakes."""
        return Suspects(*(values[:count] for values in vars(self).values()))


def label_mistakes(labels: NDArray[np.int64], probabilities: NDArray[np.float32]) -> Suspects:
    """The off-diagonal of the confident joint of Northcutt, Jiang and Chuang (2021), "Confident learning: estimating
    uncertainty in dataset labels".

    labels: (N,). probabilities: (N, classes), of a network that did not learn from these images. A class is confident
    where its probability is at least its mean over the images with that label; the most probable of the confident
    classes is suggested. A class without images suggests nothing.
    """
    counts = np.bincount(labels, minlength=probabilities.shape[1])
    own = probabilities[np.arange(len(labels)), labels]
    sums = np.bincount(labels, weights=own, minlength=probabilities.shape[1])
    thresholds = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    confident = np.where(probabilities >= thresholds, probabilities, -1)
    suggested = confident.argmax(axis=1)
    best = confident[np.arange(len(labels)), suggested]
    suspects = np.flatnonzero((best >= 0) & (suggested != labels))
    margin = best[suspects] - own[suspects]
    order = np.argsort(-margin, kind="stable")
    rows = suspects[order]
    return Suspects(rows, labels[rows], suggested[rows], best[rows].astype(np.float32), margin[order])
