"""What a change of a network did to its predictions: accuracy and the recall of each class, before and after."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Comparison:
    """Accuracy, 0..1, and recall of each class, float64 (classes,) in 0..1, NaN for a class without images."""

    accuracy_before: float
    accuracy_after: float
    recall_before: NDArray[np.float64]
    recall_after: NDArray[np.float64]
    images: NDArray[np.int64]  # (classes,): of each class

    @property
    def accuracy_change(self) -> float:
        """-1..1, negative for a fall."""
        return self.accuracy_after - self.accuracy_before

    @property
    def recall_change(self) -> NDArray[np.float64]:
        """float64 (classes,) in -1..1, negative for a fall, NaN for a class without images."""
        return self.recall_after - self.recall_before


def recall(labels: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """float64 (classes,): of the images of each class the fraction predicted as it; NaN for a class without images.

    `labels` and `predicted`: (N,), in 0..classes - 1.
    """
    counts = np.bincount(labels, minlength=classes)
    right = np.bincount(labels[labels == predicted], minlength=classes)
    return np.where(counts > 0, right / np.maximum(counts, 1), np.nan)


def compare(before: NDArray[np.floating], after: NDArray[np.floating], labels: NDArray[np.int64]) -> Comparison:
    """Of probabilities or logits (N, classes) of the same images before and after a change, with their labels (N,).

    Raises ValueError without images.
    """
    if not len(labels):
        raise ValueError("no images, nothing to compare")
    first, second, classes = before.argmax(axis=1), after.argmax(axis=1), before.shape[1]
    return Comparison(
        float((labels == first).mean()),
        float((labels == second).mean()),
        recall(labels, first, classes),
        recall(labels, second, classes),
        np.bincount(labels, minlength=classes),
    )
