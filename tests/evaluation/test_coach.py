"""The rules of the coach at their boundaries."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from cnn_core.evaluation.coach import (
    FAR,
    GAP,
    LEAST_RISE,
    RISE,
    STALL,
    Curves,
    Facts,
    Finding,
    curves_by_epoch,
    diagnose,
    lowest_loss,
)


def curves(
    validation_loss: list[float],
    train_loss: list[float] | None = None,
    train_accuracy: float = 0.85,
    validation_accuracy: float = 0.85,
) -> Curves:
    count = len(validation_loss)
    falling = np.linspace(0.9, 0.2, count) if train_loss is None else np.array(train_loss)
    fractions = (np.full(count, value) for value in (train_accuracy, validation_accuracy))
    train, validation = fractions
    return Curves(np.arange(1.0, count + 1), falling, train, np.array(validation_loss), validation)


FACTS = Facts(
    classes=10,
    validation_images=10_000,
    last_layer="linear",
    optimiser="adam",
    learning_rate=0.001,
    weight_decay=0.0,
    augmented=False,
    dropout=False,
    ended=False,
)


def found(given: Curves, **facts: object) -> Finding:
    finding = diagnose(given, replace(FACTS, **facts))
    assert finding
    return finding


def kind(given: Curves, images: int = 10_000, classes: int = 10, ended: bool = False) -> str:
    finding = diagnose(given, replace(FACTS, validation_images=images, classes=classes, ended=ended))
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
    finding = found(curves([0.5, 0.31, 0.33, 0.35, 0.365]), validation_images=10_000, ended=True)
    assert finding.evidence == (
        "since epoch 2 the validation loss rose from 0.310 to 0.365, while the training loss fell from 0.725 to 0.200."
    )


def test_training_means_weigh_each_report_by_the_part_of_the_epoch_it_covers() -> None:
    at = np.array([0.5, 0.99, 1.0, 1.5, 2.0])
    loss, accuracy = np.array([1.0, 1.0, 9.0, 0.6, 0.4]), np.array([0.2, 0.2, 0.0, 0.6, 0.8])
    ends = np.array([1.0, 2.0])
    means = curves_by_epoch((at, loss, accuracy), (ends, ends, ends))
    assert means.train_loss == pytest.approx([0.99 * 1.0 + 0.01 * 9.0, 0.5])
    assert means.train_accuracy == pytest.approx([0.198, 0.7])


def test_an_epoch_without_a_report_is_no_number_and_says_nothing() -> None:
    ends, at = np.arange(1.0, 6), np.array([1.0, 2.0, 4.0, 5.0])
    means = curves_by_epoch((at, at, at), (ends, ends, ends))
    assert np.isnan(means.train_loss[2])
    assert kind(means) == ""


@pytest.mark.parametrize(
    ("last", "accuracy", "expected"),
    [
        (0.0004, 1.0, ""),  # four times the lowest, and nothing
        (0.0001 + LEAST_RISE - 1e-6, 1.0, ""),
        (0.0001 + LEAST_RISE + 1e-6, 1.0, "overfitting"),
        (0.0001 + 0.02 - 1e-6, 0.99, ""),  # of 99 images: a standard error of 0.0100
        (0.0001 + 0.02 + 1e-6, 0.99, "overfitting"),
    ],
)
def test_a_rise_of_next_to_nothing_is_no_overfitting(last: float, accuracy: float, expected: str) -> None:
    given = curves([0.1, 0.0001, 0.0001, 0.0001, last], validation_accuracy=accuracy, train_accuracy=accuracy)
    assert kind(given, images=99) == expected


def test_an_exploded_run_is_said_to_be_no_better_than_guessing() -> None:
    given = curves([900.0, 16.1], [42797.0, 16.0], train_accuracy=0.1, validation_accuracy=0.1)
    finding = found(given, learning_rate=10.0, ended=True)
    assert finding.kind == "exploded"
    assert finding.evidence == (
        "the validation accuracy is 10.0% with 10 classes, and the validation loss 16.100; guessing has 2.303, and the "
        "training loss was up to 42,797.0."
    )
    assert finding.advice == "The learning rate, 10, is far too large; try 0.001."
    assert "try 0.00005." in found(given, learning_rate=5e-4).advice


@pytest.mark.parametrize(
    ("loss", "accuracy", "expected"),
    [
        (3.1, 0.1, "exploded"),  # after one epoch
        (FAR * math.log(10) - 1e-6, 0.1, ""),
        (FAR * math.log(10) + 1e-6, 0.1, "exploded"),
        (3.1, 0.106 - 1e-6, "exploded"),  # the standard error of guessing on 10,000 images is 0.3 points
        (3.1, 0.106 + 1e-6, ""),
    ],
)
def test_where_guessing_ends(loss: float, accuracy: float, expected: str) -> None:
    assert kind(curves([loss], [2.3], train_accuracy=0.1, validation_accuracy=accuracy)) == expected


def test_no_loss_of_bounded_scores_is_below_the_lowest() -> None:
    assert lowest_loss(10, 1.0) == pytest.approx(1.4612, abs=5e-5)
    best = torch.zeros(1, 10, dtype=torch.float64)
    for span, last in ((1.0, torch.sigmoid), (2.0, torch.tanh)):
        best[0] = last(torch.tensor(-100.0))
        best[0, 3] = last(torch.tensor(100.0))
        expected = torch.nn.functional.cross_entropy(best, torch.tensor([3])).item()
        assert lowest_loss(10, span) == pytest.approx(expected)


@pytest.mark.parametrize(("last", "lowest"), [("sigmoid", "1.461"), ("tanh", "0.797")])
def test_a_last_layer_that_bounds_the_scores_is_named_as_the_cause(last: str, lowest: str) -> None:
    finding = found(curves([1.6] * 4, [1.55] * 4), last_layer=last)
    assert finding.kind == "bounded"
    assert f"the last layer is a {last}" in finding.evidence
    assert f"with 10 classes the loss cannot fall below {lowest}" in finding.evidence
    assert finding.advice == f"Take the {last} at the end out: cross-entropy needs unbounded logits."


@pytest.mark.parametrize(
    ("facts", "advice"),
    [
        ({}, "Try a larger learning rate (it is 0.001) or a larger network."),
        ({"augmented": True}, "Try a larger learning rate (it is 0.001), a larger network or less augmentation."),
        ({"weight_decay": 1e-6}, "Try a larger learning rate (it is 0.001), a larger network or less weight decay."),
        ({"learning_rate": 0.01}, "Try a larger learning rate (it is 0.01) or a larger network."),
        ({"learning_rate": 0.0101}, "Try a smaller learning rate (it is 0.0101) or a larger network."),
    ],
)
def test_the_advice_names_only_what_the_recipe_has(facts: dict[str, object], advice: str) -> None:
    assert found(curves([2.0] * 4, [2.0] * 4), **facts).advice == advice


def test_what_the_recipe_has_already_is_asked_for_in_a_larger_dose() -> None:
    given = curves([0.5, 0.55, 0.58, 0.6])
    assert "Try augmentation, dropout, weight decay," in found(given).advice
    more = found(given, augmented=True, dropout=True, weight_decay=0.1).advice
    assert "Try stronger augmentation, more dropout, more weight decay," in more
