"""What a schedule will still do after the learning rate was changed by hand. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cnn_core.recipe import TrainingSpec
from cnn_core.training.schedule import learning_rate

MOST_LOOKS = 2000  # steps that are looked at; more lie between two of them, where the rate hardly differs


@dataclass(frozen=True)
class Outlook:
    """Learning rates from a step to the end of the run."""

    peak: float  # the highest
    peak_epoch: float
    last: float
    planned_peak: float  # the highest over the same steps, as the recipe has it


def outlook(training: TrainingSpec, step: int, steps: int, value: float) -> Outlook:
    """The rates ahead when `step` (0-based) of `steps` gets the rate `value` and the rest is scaled with it."""
    per_epoch = max(1, steps // training.epochs)
    ahead = np.unique(np.linspace(min(step, steps - 1), steps - 1, min(steps - step, MOST_LOOKS) or 1).astype(int))
    planned = np.array([learning_rate(training, int(at), steps, per_epoch) for at in ahead])
    scale = value / planned[0] if planned[0] > 0 else 1.0
    top = int(planned.argmax())
    peak = float(planned[top])
    return Outlook(peak * scale, float(ahead[top]) / per_epoch, float(planned[-1]) * scale, peak)


def outlook_sentence(training: TrainingSpec, step: int, steps: int, old: float, value: float) -> str:
    """What follows a change of the rate from `old` to `value`: "" for a constant one, else a sentence."""
    if training.schedule == "constant" or not steps:
        return ""
    ahead = outlook(training, step, steps, value)
    falls = f"falls to {ahead.last:.3g} at the end"
    if ahead.peak <= value * (1 + 1e-9):
        return f"From there the schedule goes on in proportion: the rate {falls}."
    over = f", above the {old:.3g} before the change" if ahead.peak > old else ""
    return (
        f"The warm-up goes on in proportion: the rate climbs to a peak of {ahead.peak:.3g} at epoch "
        f"{ahead.peak_epoch:.1f} instead of {ahead.planned_peak:.3g}{over}, then {falls}."
    )
