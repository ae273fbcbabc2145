"""Classification metrics of stored predictions, by scikit-learn. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support

from cnn_core.runs.folder import Predictions


@dataclass(frozen=True)
class Means:
    """Precision, recall and F1 over all classes, 0..1."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Evaluation:
    """All numbers are 0..1 but the loss (cross-entropy in nats) and the counts."""

    accuracy: float
    loss: float
    per_class: pd.DataFrame  # columns class, precision, recall, f1, support; in the order of the classes
    macro: Means  # each class counts the same
    weighted: Means  # each class counts by its number of images
    confusion: np.ndarray  # int64 (classes, classes): [true, predicted]


def evaluate(predictions: Predictions, classes: Sequence[str]) -> Evaluation:
    """Metrics of the predictions. A class that was never predicted has precision 0; one without images recall 0."""
    true, predicted, every = predictions.labels, predictions.predicted, range(len(classes))
    precision, recall, f1, support = precision_recall_fscore_support(true, predicted, labels=every, zero_division=0)
    table = {"class": list(classes), "precision": precision, "recall": recall, "f1": f1, "support": support}
    return Evaluation(
        accuracy=float((true == predicted).mean()),
        loss=_loss(predictions),
        per_class=pd.DataFrame(table),
        macro=_means(true, predicted, "macro"),
        weighted=_means(true, predicted, "weighted"),
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


def _means(true: np.ndarray, predicted: np.ndarray, average: str) -> Means:
    precision, recall, f1, _ = precision_recall_fscore_support(true, predicted, average=average, zero_division=0)
    return Means(float(precision), float(recall), float(f1))
