"""A better number is only a better run where chance does not explain it."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from cnn_core.evaluation.significance import Outcome, accuracies_differ, losses_differ, marked, mcnemar, two_proportions
from cnn_core.runs.folder import Predictions


def right(both: int, first: int, second: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    """Right answers of two runs: so many images both, only the first, only the second and neither got right."""
    counts = (both, first, second, neither)
    return np.repeat([True, True, False, False], counts), np.repeat([True, False, True, False], counts)


def predictions(correct: np.ndarray, certain: float = 0.9, start: int = 0) -> Predictions:
    """Of two classes, the first true."""
    likely = np.where(correct, certain, 1 - certain).astype(np.float32)
    indices = np.arange(start, start + len(correct))
    return Predictions(indices, np.zeros(len(correct), np.int64), np.stack([likely, 1 - likely], axis=1))


def outcome(correct: np.ndarray, start: int = 0) -> Outcome:
    return Outcome(float(correct.mean()), predictions(correct, start=start))


# Exact two-sided binomial tails by hand: 2 · P(X ≤ k) for X ~ B(n, ½)
@pytest.mark.parametrize(("first", "second", "p"), [(5, 0, 2 / 32), (6, 0, 2 / 64), (8, 1, 20 / 512), (3, 3, 1.0)])
def test_mcnemar_is_the_exact_binomial_tail(first: int, second: int, p: float) -> None:
    assert mcnemar(*right(80, first, second, 7)) == pytest.approx(p)


def test_mcnemar_of_equal_answers_is_one() -> None:
    assert mcnemar(*right(10, 0, 0, 3)) == 1.0


@pytest.mark.parametrize(("apart", "differ"), [(5, False), (6, True)])
def test_five_images_are_chance_and_six_are_not(apart: int, differ: bool) -> None:
    """p = 0.0625 and 0.03125, on both sides of the level, however many images both got right."""
    a, b = right(1000, apart, 0, 20)
    assert accuracies_differ(outcome(a), outcome(b)) is differ
    assert accuracies_differ(outcome(b), outcome(a)) is differ


@pytest.mark.parametrize(("first", "second"), [(900, 850), (500, 499), (1000, 990), (30, 3)])
def test_different_images_are_compared_as_two_proportions(first: int, second: int) -> None:
    table = [[first, 1000 - first], [second, 1000 - second]]
    assert two_proportions(first / 1000, 1000, second / 1000, 1000) == pytest.approx(
        chi2_contingency(table, correction=False).pvalue
    )


def test_nothing_and_everything_right() -> None:
    assert two_proportions(1.0, 10, 1.0, 20) == 1.0
    assert two_proportions(0.0, 10, 0.0, 20) == 1.0


def test_without_predictions_nothing_is_claimed() -> None:
    assert not accuracies_differ(Outcome(0.9), Outcome(0.1))
    assert not losses_differ(None, predictions(np.ones(5, bool)))


def test_pairing_sees_what_two_proportions_cannot() -> None:
    a, b = right(900, 20, 4, 76)
    assert accuracies_differ(outcome(a), outcome(b))
    assert not accuracies_differ(outcome(a), outcome(b, start=5000))


def test_losses_are_paired() -> None:
    rng = np.random.default_rng(0)
    correct = rng.random(400) < 0.97
    confident, hesitant = predictions(correct, 0.9), predictions(correct, 0.6)
    assert losses_differ(confident, hesitant)
    assert not losses_differ(confident, confident)
    shuffled = predictions(rng.permutation(correct), 0.9)
    assert not losses_differ(confident, shuffled)


def test_marks_are_shared_by_ties_and_withheld_from_noise() -> None:
    apart = lambda limit: lambda a, b: abs(values[a] - values[b]) > limit  # noqa: E731
    values: list = [0.90, 0.91, 0.80]
    assert marked(values, True, apart(0.02)) == [True, True, False]
    assert marked(values, True, apart(0.001)) == [False, True, False]
    assert marked(values, False, apart(0.001)) == [False, False, True]
    assert marked(values, True, apart(0.5)) == [False, False, False]
    values = [0.9, None, 0.9, 0.1]
    assert marked(values, True, apart(0.001)) == [True, False, True, False]
    assert marked([None, None], True, lambda a, b: True) == [False, False]
    assert marked([0.5], True, lambda a, b: True) == [False]
