"""The rules of the coach at their boundaries."""

import numpy as np
import pytest

from cnn_core.evaluation.coach import GAP, RISE, STALL, Curves, curves_by_epoch, diagnose


def curves(
    validation_loss: list[float],
    train_loss: list[float] | None = None,
    train_accuracy: float = 0.85,
    validation_accuracy: float = 0.85,
) -> Curves:
    count = len(validation_loss)
    falling = np.linspace(0.9, 0.2, count) if train_loss is None else np.array(train_loss)
    shares = (np.full(count, value) for value in (train_accuracy, validation_accuracy))
    train, validation = shares
    return Curves(np.arange(1.0, count + 1), falling, train, np.array(validation_loss), validation)


def kind(given: Curves, images: int = 10_000, classes: int = 10, ended: bool = False) -> str:
    finding = diagnose(given, images, classes, ended)
    return finding.kind if finding else ""


@pytest.mark.parametrize(
    ("last", "expected"), [(0.5 * (1 + RISE) - 1e-6, ""), (0.5 * (1 + RISE) + 1e-6, "overfitting")]
)
def test_a_validation_loss_that_rose_far_enough(last: float, expected: str) -> None:
    assert kind(curves([0.6, 0.5, 0.51, 0.51, last])) == expected


@pytest.mark.parametrize(("losses", "expected"), [([0.6, 0.5, 0.55, 0.6], ""), ([0.5, 0.55, 0.58, 0.6], "overfitting")])
def test_it_has_to_rise_for_three_epochs(losses: list[float], expected: str) -> None:
    assert kind(curves(losses)) == expected


def test_no_overfitting_where_the_training_loss_rises_too() -> None:
    assert kind(curves([0.5, 0.55, 0.6, 0.65], train_loss=[0.5, 0.55, 0.6, 0.65])) == ""


@pytest.mark.parametrize(
    ("train", "validation", "images", "expected"),
    [
        (0.91, 0.86, 1000, "overfitting"),  # 5 points; chance explains 2.2
        (0.86 + GAP - 1e-6, 0.86, 100_000, ""),
        (0.86 + GAP + 1e-6, 0.86, 100_000, "overfitting"),
        (0.91, 0.86, 192, ""),  # chance explains 5.01 points
        (0.91, 0.86, 194, "overfitting"),  # and here 4.98
        (1.0, 1.0, 1, ""),
    ],
)
def test_accuracies_that_part_by_more_than_chance(train: float, validation: float, images: int, expected: str) -> None:
    parted = curves([0.5, 0.49, 0.48, 0.47], train_accuracy=train, validation_accuracy=validation)
    assert kind(parted, images) == expected


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (2.0, 2.0 * (1 - STALL) + 1e-6, "underfitting"),
        (2.0, 2.0 * (1 - STALL) - 1e-6, ""),  # it moves
        (1.15, 1.1512, ""),  # half of ln 10 is 1.1513
        (1.15, 1.1514, "underfitting"),
    ],
)
def test_a_training_loss_that_stands_still_near_guessing(before: float, now: float, expected: str) -> None:
    assert kind(curves([2.0, 2.0, 2.0, 2.0], train_loss=[before, 2.0, 2.0, now])) == expected


@pytest.mark.parametrize(
    ("losses", "ended", "expected"),
    [
        ([1.0, 0.9, 0.8, 0.7], True, "improving"),
        ([1.0, 0.9, 0.8, 0.7], False, ""),  # of course it is
        ([1.0, 0.9, 0.7, 0.71], True, ""),  # the last is not the best
        ([1.0, 0.99, 0.985, 1 - STALL + 1e-6], True, ""),
        ([1.0, 0.99, 0.985, 1 - STALL - 1e-6], True, "improving"),
    ],
)
def test_a_run_that_ended_too_early(losses: list[float], ended: bool, expected: str) -> None:
    assert kind(curves(losses), ended=ended) == expected


def test_nothing_is_said_of_few_epochs_or_broken_numbers() -> None:
    assert kind(curves([0.5, 0.9, 1.2])) == ""
    assert kind(curves([0.5, 0.9, 1.2, float("nan")])) == ""


def test_the_sentence_holds_its_evidence() -> None:
    finding = diagnose(curves([0.5, 0.31, 0.33, 0.35, 0.365]), 1000, 10, ended=True)
    assert finding
    assert finding.evidence == (
        "since epoch 2 the validation loss rose from 0.310 to 0.365, while the training loss fell from 0.725 to 0.200."
    )


def test_training_means_weigh_each_report_by_the_part_of_the_epoch_it_covers() -> None:
    at = np.array([0.5, 0.99, 1.0, 1.5, 2.0])
    loss, accuracy = np.array([1.0, 1.0, 9.0, 0.6, 0.4]), np.array([0.2, 0.2, 0.0, 0.6, 0.8])
    ends = np.array([1.0, 2.0])
    found = curves_by_epoch((at, loss, accuracy), (ends, ends, ends))
    assert found.train_loss == pytest.approx([0.99 * 1.0 + 0.01 * 9.0, 0.5])
    assert found.train_accuracy == pytest.approx([0.198, 0.7])


def test_an_epoch_without_a_report_is_no_number_and_says_nothing() -> None:
    ends, at = np.arange(1.0, 6), np.array([1.0, 2.0, 4.0, 5.0])
    found = curves_by_epoch((at, at, at), (ends, ends, ends))
    assert np.isnan(found.train_loss[2])
    assert kind(found) == ""
