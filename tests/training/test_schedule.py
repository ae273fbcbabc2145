"""Learning rates against torch's own schedulers."""

import warnings

import pytest
import torch
from torch.optim import SGD
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR, LRScheduler, OneCycleLR, StepLR

from cnn_core.recipe import TrainingSpec
from cnn_core.training.schedule import learning_rate

WARM_UPS = (0.05, 0.1, 0.2, 0.25, 0.3, 1 / 3, 0.5, 0.75, 0.9, 0.99)
PEAK = 0.1


def oracle(training: TrainingSpec, optimiser: SGD, steps: int, per_epoch: int) -> LRScheduler:
    return {
        "constant": lambda: ConstantLR(optimiser, factor=1.0),
        "step": lambda: StepLR(optimiser, training.step_epochs * per_epoch, training.step_factor),
        "cosine": lambda: CosineAnnealingLR(optimiser, T_max=steps),
        "one_cycle": lambda: OneCycleLR(
            optimiser, PEAK, total_steps=steps, pct_start=training.warm_up, cycle_momentum=False
        ),
    }[training.schedule]()


def rates_of_torch(training: TrainingSpec, steps: int, per_epoch: int) -> list[float]:
    """Raises ZeroDivisionError where torch does."""
    optimiser = SGD([torch.zeros(1, requires_grad=True)], lr=PEAK)
    scheduler, rates = oracle(training, optimiser, steps, per_epoch), []
    for step in range(steps):
        rates.append(float(optimiser.param_groups[0]["lr"]))
        optimiser.step()
        if step + 1 < steps:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                scheduler.step()
    return rates


def ours(training: TrainingSpec, steps: int, per_epoch: int) -> list[float]:
    return [learning_rate(training, step, steps, per_epoch) for step in range(steps)]


@pytest.mark.parametrize("per_epoch", [1, 2, 5])
@pytest.mark.parametrize("steps", [*range(1, 13), 60])
@pytest.mark.parametrize("schedule", ["constant", "step", "cosine"])
def test_same_rates_as_torch(schedule: str, steps: int, per_epoch: int) -> None:
    training = TrainingSpec(learning_rate=PEAK, schedule=schedule, step_epochs=2, step_factor=0.5)
    assert ours(training, steps, per_epoch) == pytest.approx(rates_of_torch(training, steps, per_epoch), rel=1e-6)


@pytest.mark.parametrize("warm_up", WARM_UPS)
@pytest.mark.parametrize("steps", [*range(2, 13), 60])
def test_one_cycle_is_that_of_torch_or_starts_at_its_peak(steps: int, warm_up: float) -> None:
    training = TrainingSpec(learning_rate=PEAK, schedule="one_cycle", warm_up=warm_up)
    rates = ours(training, steps, 1)
    try:
        expected = rates_of_torch(training, steps, 1)
    except ZeroDivisionError:  # warm_up · steps = 1: torch has no answer
        expected = []
    if expected and max(expected) > PEAK / 2:
        assert rates == pytest.approx(expected, rel=1e-6, abs=1e-15)
    else:
        assert warm_up * steps == 1 or steps == 2
        assert rates[0] == PEAK
        assert rates == sorted(rates, reverse=True)


def test_a_warm_up_of_exactly_one_step_is_where_torch_has_no_answer() -> None:
    training = TrainingSpec(learning_rate=PEAK, schedule="one_cycle", warm_up=0.25)
    with pytest.raises(ZeroDivisionError):
        rates_of_torch(training, 4, 1)
    assert ours(training, 4, 1)[0] == PEAK


@pytest.mark.parametrize("warm_up", WARM_UPS)
@pytest.mark.parametrize("schedule", ["constant", "step", "cosine", "one_cycle"])
def test_a_run_of_one_step_learns_at_the_rate_it_was_given(schedule: str, warm_up: float) -> None:
    training = TrainingSpec(learning_rate=PEAK, schedule=schedule, warm_up=warm_up)
    assert learning_rate(training, 0, 1, 1) == PEAK


@pytest.mark.parametrize("warm_up", WARM_UPS)
@pytest.mark.parametrize("steps", range(1, 13))
@pytest.mark.parametrize("schedule", ["constant", "step", "cosine", "one_cycle"])
def test_every_rate_is_above_zero_and_at_most_the_peak(schedule: str, steps: int, warm_up: float) -> None:
    training = TrainingSpec(learning_rate=PEAK, schedule=schedule, step_epochs=1, warm_up=warm_up)
    rates = ours(training, steps, 1)
    assert all(0 < rate <= PEAK * (1 + 1e-12) for rate in rates)
    assert max(rates) >= PEAK / 2, "a run has at least one step that learns"
