"""Learning rate as a function of the step."""

from __future__ import annotations

import math

from cnn_core.recipe import TrainingSpec

# Defaults of torch.optim.lr_scheduler.OneCycleLR: start at peak / 25, end at peak / 250,000
DIVIDE_START = 25.0
DIVIDE_END = 1e4


def learning_rate(training: TrainingSpec, step: int, steps: int, steps_per_epoch: int) -> float:
    """Learning rate of `step` (0-based) of `steps`; `training.learning_rate` is the start, or the peak of one_cycle.

    step: multiplied by step_factor every step_epochs epochs (torch StepLR). cosine: half a cosine down to 0 over the
    run (torch CosineAnnealingLR, eta_min=0). one_cycle: cosine up for the warm_up fraction, cosine down for the rest
    (torch OneCycleLR, momentum left alone). The first step is at the peak where OneCycleLR divides by zero
    (warm_up · steps = 1), and in a run of one or two steps that it would leave without a rate worth the name.
    """
    peak = training.learning_rate
    if training.schedule == "step":
        return peak * training.step_factor ** (step // (training.step_epochs * steps_per_epoch))
    if training.schedule == "cosine":
        return _ease(peak, 0.0, step / steps)
    if training.schedule == "one_cycle":
        return _one_cycle(peak, step, steps, training.warm_up)
    return peak


def _one_cycle(peak: float, step: int, steps: int, warm_up: float) -> float:
    start, end = peak / DIVIDE_START, peak / DIVIDE_START / DIVIDE_END
    top = warm_up * steps - 1  # the step with the peak, as OneCycleLR places it
    if step == 0 and (steps == 1 or top == 0 or (steps == 2 and top > 0)):
        return peak
    if step <= top:
        return _ease(start, peak, step / top)
    return _ease(peak, end, (step - top) / (steps - 1 - top))


def _ease(start: float, end: float, fraction: float) -> float:
    """From start to end along half a cosine; fraction 0..1."""
    return end + (start - end) * (1 + math.cos(math.pi * min(1.0, fraction))) / 2
