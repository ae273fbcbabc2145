"""What is said of the schedule after a change of the rate, against the schedule itself."""

import pytest

from cnn_core.recipe import TrainingSpec
from cnn_core.training.outlook import outlook, outlook_sentence
from cnn_core.training.schedule import learning_rate

STEPS = 100


def training(schedule: str) -> TrainingSpec:
    return TrainingSpec(epochs=10, learning_rate=0.3, schedule=schedule, warm_up=0.3, step_epochs=4)


def rate(schedule: str, step: int) -> float:
    return learning_rate(training(schedule), step, STEPS, 10)


@pytest.mark.parametrize("schedule", ["constant", "step", "cosine", "one_cycle"])
@pytest.mark.parametrize("step", [0, 1, 28, 29, 30, 31, 98, 99])
def test_the_rates_ahead_are_the_schedule_scaled(schedule: str, step: int) -> None:
    value = rate(schedule, step) / 2
    ahead = outlook(training(schedule), step, STEPS, value)
    rest = [rate(schedule, at) / 2 for at in range(step, STEPS)]
    assert (ahead.peak, ahead.last) == (pytest.approx(max(rest)), pytest.approx(rest[-1]))
    assert ahead.planned_peak == pytest.approx(2 * max(rest))


def test_halving_in_the_warm_up_says_that_it_climbs_past_the_old_rate() -> None:
    old = rate("one_cycle", 10)
    told = outlook_sentence(training("one_cycle"), 10, STEPS, old, old / 2)
    assert "climbs to a peak of 0.15 at epoch 2.9 instead of 0.3" in told
    assert f"above the {old:.3g} before the change" in told


def test_a_tenth_near_the_peak_stays_below_the_old_rate_and_says_nothing_of_it() -> None:
    told = outlook_sentence(training("one_cycle"), 25, STEPS, rate("one_cycle", 25), rate("one_cycle", 25) / 10)
    assert "climbs to a peak of 0.03" in told
    assert "above" not in told


@pytest.mark.parametrize(("schedule", "step"), [("one_cycle", 29), ("one_cycle", 60), ("cosine", 0), ("step", 99)])
def test_from_the_peak_on_it_only_falls(schedule: str, step: int) -> None:
    value = rate(schedule, step) / 2
    assert "in proportion: the rate falls" in outlook_sentence(training(schedule), step, STEPS, 2 * value, value)


def test_a_constant_rate_needs_no_words() -> None:
    assert outlook_sentence(training("constant"), 50, STEPS, 0.3, 0.1) == ""


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("schedule", ["step", "cosine", "one_cycle"])
def test_short_runs_have_an_outlook(schedule: str, steps: int) -> None:
    for step in range(steps + 1):  # the last: nothing is left to do
        one = TrainingSpec(epochs=1, learning_rate=0.3, schedule=schedule)
        assert outlook(one, step, steps, 0.1).peak >= 0
