"""What the curves of a run say of it, and what to try with this recipe. Needs no torch.

Exploded: the validation accuracy is within NOISE standard errors of guessing, 1 / classes, or below, and the last
validation loss or the training loss of some epoch is above FAR times the loss of guessing, ln(classes).
All others need more than RISING_EPOCHS epochs.
Overfitting is reported when the training loss keeps falling and one of these holds:
- the lowest validation loss lies at least RISING_EPOCHS epochs back, and the loss is now above it by RISE of it or
  more, by LEAST_RISE or more, and by NOISE standard errors of the validation accuracy or more;
- the training accuracy is above the validation accuracy by more than GAP and by more than NOISE standard errors of the
  latter. Training accuracy is measured on augmented images and younger weights, so the true gap is larger.
Underfitting: the training loss fell by less than STALL in the last RISING_EPOCHS epochs and is still above LOST of the
loss of guessing. It is called bounded where the last layer keeps the scores in a span: with scores apart by no more
than `span` the cross-entropy cannot fall below ln(e^span + classes - 1) - span.
Still improving: the run ended, its last epoch is the best, and the validation loss fell by more than STALL since the
epoch RISING_EPOCHS before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import numpy as np
from numpy.typing import NDArray

RISING_EPOCHS = 3
RISE = 0.03  # of the lowest validation loss
LEAST_RISE = 0.01  # nats
GAP = 0.03  # of accuracy, 0..1
NOISE = 2.0  # standard errors
STALL = 0.02  # of a loss
LOST = 0.5
FAR = 1.25
USUAL_RATE = {"sgd": 0.1, "adam": 0.001, "adamw": 0.001, "rmsprop": 0.001, "muon": 0.001}
LARGE = 10.0  # times the usual rate: above it a smaller one is worth a try
SPANS = {"sigmoid": ("0 and 1", 1.0), "tanh": ("-1 and 1", 2.0)}  # last layers that bound the scores

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
class Facts:
    """What the coach knows of a run besides its curves."""

    classes: int
    validation_images: int
    last_layer: str  # its kind
    optimiser: str
    learning_rate: float  # the highest that was used
    weight_decay: float
    augmented: bool
    dropout: bool
    ended: bool

    @property
    def guessing(self) -> float:
        """The loss of guessing, in nats."""
        return math.log(max(2, self.classes))


@dataclass(frozen=True)
class Finding:
    """What the curves show, the numbers that show it, and what to try."""

    kind: Literal["exploded", "overfitting", "bounded", "underfitting", "improving"]
    evidence: str
    advice: str


def curves_by_epoch(train: tuple[Values, Values, Values], validation: tuple[Values, Values, Values]) -> Curves:
    """From points (epoch, loss, accuracy) as they were reported: training means over each validated epoch, every report
    weighted by the stretch of the epoch it covers."""
    at, *values = train
    ends, loss, accuracy = validation
    stretch = np.diff(at, prepend=0.0)
    parts = [(at > end - 1 + 1e-9) & (at <= end + 1e-9) & (stretch > 0) for end in ends]
    means = [
        [np.average(curve[part], weights=stretch[part]) if part.any() else np.nan for part in parts] for curve in values
    ]
    return Curves(ends, np.array(means[0]), np.array(means[1]), loss, accuracy)


def diagnose(curves: Curves, facts: Facts) -> Finding | None:
    """The most important finding by the rules above; None when there is none, or too few epochs or broken numbers."""
    if not len(curves.epochs) or not all(np.isfinite(values).all() for values in vars(curves).values()):
        return None
    if sentence := _exploded(curves, facts):
        return Finding("exploded", sentence, _smaller_rate(facts))
    if len(curves.epochs) <= RISING_EPOCHS:
        return None
    if sentence := _rising(curves, facts) or _apart(curves, facts.validation_images):
        return Finding("overfitting", sentence, _against_overfitting(facts))
    if sentence := _stuck(curves, facts):
        return _bounded(sentence, facts) or Finding("underfitting", sentence, _against_underfitting(facts))
    if sentence := _improving(curves) if facts.ended else "":
        return Finding("improving", sentence, "Try more epochs.")
    return None


def lowest_loss(classes: int, span: float) -> float:
    """The cross-entropy, in nats, below which no scores reach that differ by at most `span`."""
    return math.log(math.exp(span) + classes - 1) - span


def _exploded(curves: Curves, facts: Facts) -> str:
    accuracy, loss, chance = curves.validation_accuracy[-1], curves.validation_loss[-1], 1 / max(2, facts.classes)
    highest = max(loss, curves.train_loss.max())
    if accuracy > chance + NOISE * _error(chance, facts.validation_images) or highest <= FAR * facts.guessing:
        return ""
    before = f", and the training loss was up to {highest:,.1f}" if highest > loss else ""
    return (
        f"the validation accuracy is {accuracy * 100:.1f}% with {facts.classes} classes, and the validation loss "
        f"{loss:,.3f}; guessing has {facts.guessing:.3f}{before}."
    )


def _smaller_rate(facts: Facts) -> str:
    rate = min(facts.learning_rate / 10, USUAL_RATE.get(facts.optimiser, math.inf))
    return f"The learning rate, {_written(facts.learning_rate)}, is far too large; try {_written(rate)}."


def _against_overfitting(facts: Facts) -> str:
    return (
        f"Try {'stronger ' * facts.augmented}augmentation, {'more ' * facts.dropout}dropout, "
        f"{'more ' * (facts.weight_decay > 0)}weight decay, a smaller network or more images. The weights of the best "
        "epoch are kept, so nothing is lost."
    )


def _against_underfitting(facts: Facts) -> str:
    usual = USUAL_RATE.get(facts.optimiser, math.inf)
    rate = "smaller" if facts.learning_rate > LARGE * usual else "larger"
    tries = [f"a {rate} learning rate (it is {_written(facts.learning_rate)})", "a larger network"]
    tries += ["less augmentation"] * facts.augmented + ["less weight decay"] * (facts.weight_decay > 0)
    return f"Try {', '.join(tries[:-1])} or {tries[-1]}."


def _bounded(evidence: str, facts: Facts) -> Finding | None:
    if facts.last_layer not in SPANS:
        return None
    between, span = SPANS[facts.last_layer]
    cause = (
        f"the last layer is a {facts.last_layer}, so every logit lies between {between}, and with {facts.classes} "
        f"classes the loss cannot fall below {lowest_loss(facts.classes, span):.3f}; {evidence}"
    )
    return Finding(
        "bounded", cause, f"Take the {facts.last_layer} at the end out: cross-entropy needs unbounded logits."
    )


def _rising(curves: Curves, facts: Facts) -> str:
    best, loss = int(curves.validation_loss.argmin()), curves.validation_loss
    learns = curves.train_loss[-1] < curves.train_loss[best]
    noise = NOISE * _error(curves.validation_accuracy[-1], facts.validation_images)
    enough = max(RISE * loss[best], LEAST_RISE, noise)
    if not learns or len(loss) - 1 - best < RISING_EPOCHS or loss[-1] - loss[best] < enough:
        return ""
    return (
        f"since epoch {curves.epochs[best]:.0f} the validation loss rose from {loss[best]:.3f} to {loss[-1]:.3f}, "
        f"while the training loss fell from {curves.train_loss[best]:.3f} to {curves.train_loss[-1]:.3f}."
    )


def _apart(curves: Curves, images: int) -> str:
    train, validation = curves.train_accuracy[-1], curves.validation_accuracy[-1]
    error = _error(validation, images)
    falling = curves.train_loss[-1] < curves.train_loss[-1 - RISING_EPOCHS]
    if not falling or train - validation <= max(GAP, NOISE * error):
        return ""
    return (
        f"the training accuracy, {train * 100:.1f}%, is {100 * (train - validation):.1f} points above the validation "
        f"accuracy, {validation * 100:.1f}%; chance explains ± {100 * NOISE * error:.1f} points."
    )


def _stuck(curves: Curves, facts: Facts) -> str:
    before, now, guessing = curves.train_loss[-1 - RISING_EPOCHS], curves.train_loss[-1], facts.guessing
    if now < before * (1 - STALL) or now <= LOST * guessing:
        return ""
    return (
        f"the training loss stays at {now:.3f} ({before:.3f} {RISING_EPOCHS} epochs before); guessing has "
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


def _error(accuracy: float, images: int) -> float:
    """Standard error of an accuracy measured on that many images."""
    return math.sqrt(accuracy * (1 - accuracy) / max(1, images))


def _written(rate: float) -> str:
    return format(Decimal(f"{rate:.3g}"), "f")
