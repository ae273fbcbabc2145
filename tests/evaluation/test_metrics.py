"""Metrics against scikit-learn's own report, and the images behind a cell."""

import json
from collections.abc import Sequence

import numpy as np
import pytest
from sklearn.metrics import classification_report, log_loss

from cnn_core.evaluation.metrics import MEASURES, cell, evaluate
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


def agrees_with_scikit_learn(predictions: Predictions, classes: Sequence[str]) -> None:
    result, numbers = evaluate(predictions, classes), range(len(classes))
    options = {"labels": numbers, "target_names": classes, "output_dict": True, "zero_division": np.nan}
    report = classification_report(predictions.labels, predictions.predicted, **options)
    for row in result.per_class.to_dict("records"):
        expected = list(report[row["class"]].values())
        assert [row["precision"], row["recall"], row["f1"], row["support"]] == pytest.approx(expected, nan_ok=True)
    for name, means in (("macro avg", result.macro), ("weighted avg", result.weighted)):
        assert [means.precision, means.recall, means.f1] == pytest.approx(list(report[name].values())[:3])
    assert list(result.macro.__dict__.values()) == pytest.approx(result.per_class[list(MEASURES)].mean().tolist())


def of(labels: list[int], predicted: list[int], classes: int) -> Predictions:
    probabilities = (0.1 + 0.9 * np.eye(classes)[predicted]).astype(np.float32)
    return Predictions(np.arange(len(labels)), np.array(labels), probabilities)


def test_same_numbers_as_scikit_learn(predictions: Predictions) -> None:
    result = evaluate(predictions, CLASSES)
    agrees_with_scikit_learn(predictions, CLASSES)
    assert result.accuracy == pytest.approx((predictions.predicted == predictions.labels).mean())
    assert result.loss == pytest.approx(
        log_loss(predictions.labels, predictions.probabilities, labels=range(4)), rel=1e-4
    )


@pytest.mark.parametrize(
    ("labels", "predicted", "classes", "defined"),
    [
        ([0], [0], 2, (1, 1, 1)),  # one image that is right
        ([0], [1], 3, (1, 1, 2)),  # one image that is wrong
        ([0, 0, 1, 1], [0, 0, 0, 0], 2, (1, 2, 2)),  # a class that is never predicted
        ([0, 0, 0, 0], [0, 0, 1, 1], 2, (2, 1, 2)),  # a class without images
        ([0, 1, 2], [0, 1, 2], 3, (3, 3, 3)),
    ],
)
def test_means_leave_out_what_the_table_leaves_open(
    labels: list[int], predicted: list[int], classes: int, defined: tuple[int, int, int]
) -> None:
    predictions, names = of(labels, predicted, classes), [f"class {number}" for number in range(classes)]
    agrees_with_scikit_learn(predictions, names)
    result = evaluate(predictions, names)
    assert tuple(result.defined.values()) == defined
    written = json.loads(json.dumps(result.as_json(), allow_nan=False))
    for name, count in result.defined.items():
        known = [row[name] for row in written["per_class"] if row[name] is not None]
        assert len(known) == count == written["defined"][name]
        assert written["macro"][name] == pytest.approx(sum(known) / count)


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
