"""What the curves of a run say of it: overfitting, underfitting, or not done yet. Needs no torch.

Overfitting is said when the training loss goes on falling and one of these holds:
- the lowest validation loss lies at least RISING_EPOCHS epochs back, and the loss is now RISE above it or more;
- the training accuracy is above the validation accuracy by more than GAP and by more than NOISE standard errors of the
  latter. Training accuracy is measured on augmented images and younger weights, so the true gap is larger.
Underfitting: the training loss fell by less than STALL in the last RISING_EPOCHS epochs and is still above LOST of the
loss of guessing, ln(classes).
Still improving: the run ended, its last epoch is the best, and the validation loss fell by more than STALL since the
epoch RISING_EPOCHS before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

RISING_EPOCHS = 3
RISE = 0.03  # of the lowest validation loss
GAP = 0.03  # of accuracy, 0..1
NOISE = 2.0  # standard errors
STALL = 0.02  # of a loss
LOST = 0.5

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Curves:
    """Losses in nats and accuracies 0..1 at the ends of the same epochs: float64 (E,) each."""

    epochs: Values
    train_loss: Values  # means over the epoch
    train_accuracy: Values
    validation_loss: Values
    validation_accuracy: Values


@dataclass(frozen=True)
class Finding:
    """What the curves show, the numbers that show it, and what to try."""

    kind: Literal["overfitting", "underfitting", "improving"]
    evidence: str
    advice: str


ADVICE = {
    "overfitting": "Try augmentation, dropout, weight decay, a smaller network or more images. The weights of the best "
    "epoch are kept, so nothing is lost.",
    "underfitting": "Try a larger learning rate, a larger network, or less augmentation and weight decay.",
    "improving": "Try more epochs.",
}


def curves_by_epoch(train: tuple[Values, Values, Values], validation: tuple[Values, Values, Values]) -> Curves:
    """From points (epoch, loss, accuracy) as they were reported: training means over each validated epoch, every report
    weighted by the stretch of the epoch it covers."""
    at, *values = train
    ends, loss, accuracy = validation
    stretch = np.diff(at, prepend=0.0)
    parts = [(at > end - 1 + 1e-9) & (at <= end + 1e-9) & (stretch > 0) for end in ends]
    means = [[np.average(curve[part], weights=stretch[part]) if part.any() else np.nan for part in parts]
             for curve in values]  # fmt: skip
    return Curves(ends, np.array(means[0]), np.array(means[1]), loss, accuracy)


def diagnose(curves: Curves, validation_images: int, classes: int, ended: bool) -> Finding | None:
    """The most important finding by the rules above; None when there is none, or too few epochs or broken numbers."""
    if len(curves.epochs) <= RISING_EPOCHS or not all(np.isfinite(values).all() for values in vars(curves).values()):
        return None
    evidence = {
        "overfitting": _rising(curves) or _apart(curves, validation_images),
        "underfitting": _stuck(curves, classes),
        "improving": _improving(curves) if ended else "",
    }
    for kind, sentence in evidence.items():
        if sentence:
            return Finding(kind, sentence, ADVICE[kind])  # type: ignore[arg-type]
    return None


def _rising(curves: Curves) -> str:
    best, loss = int(curves.validation_loss.argmin()), curves.validation_loss
    learns = curves.train_loss[-1] < curves.train_loss[best]
    if not learns or len(loss) - 1 - best < RISING_EPOCHS or loss[-1] < loss[best] * (1 + RISE):
        return ""
    return (
        f"since epoch {curves.epochs[best]:.0f} the validation loss rose from {loss[best]:.3f} to {loss[-1]:.3f}, "
        f"while the training loss fell from {curves.train_loss[best]:.3f} to {curves.train_loss[-1]:.3f}."
    )


def _apart(curves: Curves, images: int) -> str:
    train, validation = curves.train_accuracy[-1], curves.validation_accuracy[-1]
    error = math.sqrt(validation * (1 - validation) / max(1, images))
    falling = curves.train_loss[-1] < curves.train_loss[-1 - RISING_EPOCHS]
    if not falling or train - validation <= max(GAP, NOISE * error):
        return ""
    return (
        f"the training accuracy, {train * 100:.1f}%, is {100 * (train - validation):.1f} points above the validation "
        f"accuracy, {validation * 100:.1f}%; chance explains ± {100 * NOISE * error:.1f} points."
    )


def _stuck(curves: Curves, classes: int) -> str:
    before, now, guessing = curves.train_loss[-1 - RISING_EPOCHS], curves.train_loss[-1], math.log(max(2, classes))
    if now < before * (1 - STALL) or now <= LOST * guessing:
        return ""
    return (
        f"the training loss stays at {now:.3f} ({before:.3f} {RISING_EPOCHS} epochs before); guessing costs "
        f"{guessing:.3f}, and the training accuracy is {curves.train_accuracy[-1] * 100:.1f}%."
    )


def _improving(curves: Curves) -> str:
    loss, before = curves.validation_loss, curves.validation_loss[-1 - RISING_EPOCHS]
    if loss.argmin() != len(loss) - 1 or loss[-1] >= before * (1 - STALL):
        return ""
    return (
        f"the last epoch is the best, and the validation loss fell from {before:.3f} to {loss[-1]:.3f} "
        f"in the last {RISING_EPOCHS} epochs."
    )
