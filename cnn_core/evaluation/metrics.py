"""Classification metrics of stored predictions, by scikit-learn. Needs no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support

from cnn_core.runs.folder import Predictions

MEASURES = ("precision", "recall", "f1")


@dataclass(frozen=True)
class Means:
    """Precision, recall and F1, 0..1, each over the classes in which it is defined."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Evaluation:
    """All numbers are 0..1 but the loss (cross-entropy in nats) and the counts.

    NaN where a measure is undefined: the precision of a class that was never predicted, the recall of a class without
    images, and F1 where both are so. Means leave those classes out: scikit-learn's zero_division=nan.
    """

    accuracy: float
    loss: float
    per_class: pd.DataFrame  # columns class, precision, recall, f1, support; in the order of the classes
    macro: Means  # each class counts the same
    weighted: Means  # each class counts by its number of images
    confusion: np.ndarray  # int64 (classes, classes): [true, predicted]

    @property
    def defined(self) -> dict[str, int]:
        """Measure -> number of classes in which it is defined, those over which its macro mean is taken."""
        return {name: int(self.per_class[name].notna().sum()) for name in MEASURES}

    def as_json(self) -> dict[str, Any]:
        """All of it in values that JSON knows; null where a measure is undefined."""
        return {
            "accuracy": self.accuracy,
            "loss": self.loss,
            "per_class": [_without_nan(row) for row in self.per_class.to_dict("records")],
            "macro": _without_nan(asdict(self.macro)),
            "weighted": _without_nan(asdict(self.weighted)),
            "defined": self.defined,
            "confusion": self.confusion.tolist(),
        }


def evaluate(predictions: Predictions, classes: Sequence[str]) -> Evaluation:
    """Metrics of at least one prediction."""
    true, predicted, every = predictions.labels, predictions.predicted, range(len(classes))
    precision, recall, f1, support = precision_recall_fscore_support(
        true, predicted, labels=every, zero_division=np.nan
    )
    table = {"class": list(classes), "precision": precision, "recall": recall, "f1": f1, "support": support}
    return Evaluation(
        accuracy=float((true == predicted).mean()),
        loss=_loss(predictions),
        per_class=pd.DataFrame(table),
        macro=_means(true, predicted, every, "macro"),
        weighted=_means(true, predicted, every, "weighted"),
        confusion=confusion_matrix(true, predicted, labels=every),
    )


def cell(predictions: Predictions, true: int, predicted: int) -> np.ndarray:
    """int64: positions in the predictions of one cell of the confusion matrix, the most confident first."""
    inside = np.flatnonzero((predictions.labels == true) & (predictions.predicted == predicted))
    return inside[np.argsort(-predictions.probabilities[inside, predicted], kind="stable")]


def _loss(predictions: Predictions) -> float:
    probabilities = predictions.probabilities.astype(np.float64)
    normalised = probabilities / probabilities.sum(axis=1, keepdims=True)
    return float(log_loss(predictions.labels, normalised, labels=range(probabilities.shape[1])))


def _means(true: np.ndarray, predicted: np.ndarray, every: range, average: str) -> Means:
    means = precision_recall_fscore_support(true, predicted, labels=every, average=average, zero_division=np.nan)
    return Means(*map(float, means[:3]))


def _without_nan(values: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in values.items()}
