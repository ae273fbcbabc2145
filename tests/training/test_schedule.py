"""Learning rates against torch's own schedulers."""

import warnings

import pytest
import torch
from torch.optim import SGD
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR, LRScheduler, OneCycleLR, StepLR

from cnn_core.recipe import TrainingSpec
from cnn_core.training.schedule import learning_rate

STEPS, PER_EPOCH = 60, 6


def oracle(name: str, optimiser: SGD) -> LRScheduler:
    return {
        "constant": lambda: ConstantLR(optimiser, factor=1.0),
        "step": lambda: StepLR(optimiser, step_size=3 * PER_EPOCH, gamma=0.5),
        "cosine": lambda: CosineAnnealingLR(optimiser, T_max=STEPS),
        "one_cycle": lambda: OneCycleLR(optimiser, max_lr=0.1, total_steps=STEPS, pct_start=0.25, cycle_momentum=False),
    }[name]()


@pytest.mark.parametrize("name", ["constant", "step", "cosine", "one_cycle"])
def test_same_rates_as_torch(name: str) -> None:
    optimiser = SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    scheduler = oracle(name, optimiser)
    training = TrainingSpec(learning_rate=0.1, schedule=name, step_epochs=3, step_factor=0.5, warm_up=0.25)
    for step in range(STEPS):
        expected = optimiser.param_groups[0]["lr"]
        assert learning_rate(training, step, STEPS, PER_EPOCH) == pytest.approx(expected, rel=1e-6), step
        optimiser.step()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scheduler.step()


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("name", ["constant", "step", "cosine", "one_cycle"])
def test_the_shortest_runs_have_a_rate(name: str, steps: int) -> None:
    rates = [learning_rate(TrainingSpec(schedule=name), step, steps, 1) for step in range(steps)]
    assert all(0 < rate <= 1e-3 for rate in rates)
