"""Metrics against scikit-learn's own report, and the images behind a cell."""

import numpy as np
import pytest
from sklearn.metrics import classification_report, log_loss

from cnn_core.evaluation.metrics import cell, evaluate
from cnn_core.runs.folder import Predictions

CLASSES = ("cat", "dog", "emu", "fox")


@pytest.fixture
def predictions() -> Predictions:
    """300 predictions of three classes; nothing is a fox, and nothing is called an emu."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 300)
    scores = random.normal(size=(300, 4)) + 1.5 * np.eye(4)[labels]
    scores[:, 2] = -9
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return Predictions(np.arange(300) + 1000, labels, probabilities.astype(np.float32))


def test_same_numbers_as_scikit_learn(predictions: Predictions) -> None:
    result = evaluate(predictions, CLASSES)
    options = {"labels": range(4), "target_names": CLASSES, "output_dict": True, "zero_division": 0}
    report = classification_report(predictions.labels, predictions.predicted, **options)
    for row in result.per_class.to_dict("records"):
        expected = report[row["class"]]
        assert [row["precision"], row["recall"], row["f1"], row["support"]] == pytest.approx(list(expected.values()))
    for name, means in (("macro avg", result.macro), ("weighted avg", result.weighted)):
        assert [means.precision, means.recall, means.f1] == pytest.approx(list(report[name].values())[:3])
    assert result.accuracy == pytest.approx((predictions.predicted == predictions.labels).mean())
    assert result.loss == pytest.approx(
        log_loss(predictions.labels, predictions.probabilities, labels=range(4)), rel=1e-4
    )


def test_every_cell_of_the_confusion_matrix_opens_its_images(predictions: Predictions) -> None:
    confusion = evaluate(predictions, CLASSES).confusion
    assert confusion.sum() == 300
    for true in range(4):
        for predicted in range(4):
            inside = cell(predictions, true, predicted)
            assert len(inside) == confusion[true, predicted]
            assert (predictions.labels[inside] == true).all()
            assert (predictions.predicted[inside] == predicted).all()
            confidence = predictions.probabilities[inside, predicted]
            assert (np.diff(confidence) <= 0).all()
