"""What training reports to the store: each event changes columns of its run, and some add a metric row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, kw_only=True)
class Event:
    """Every field but `loss` and `quantities` is a column of the run."""

    metric_kind: ClassVar[str] = ""  # "train" or "validation": the event is also a point of that curve
    ends: ClassVar[bool] = False  # the worker lets go of the run

    # What was measured beside the fields, by name: kept with the point of the curve, or of an event without one with
    # the run. A new quantity needs no column.
    quantities: Mapping[str, float] = field(default_factory=dict)

    def run_changes(self) -> dict[str, Any]:
        """Column -> new value of the run's row."""
        return {name: value for name, value in asdict(self).items() if name not in ("loss", "quantities")}

    def metric(self) -> dict[str, Any]:
        """Column -> value of the metric row; only for events with a `metric_kind`."""
        columns = ("step", "epoch", "loss", "learning_rate", "images_per_second", "seconds")
        accuracy = getattr(self, f"{self.metric_kind}_accuracy")
        row = {name: getattr(self, name) for name in columns} | {"accuracy": accuracy}
        return row | {"quantities": finite(self.quantities)}


@dataclass(frozen=True, kw_only=True)
class Preparing(Event):
    """The data set is being fetched or imported."""

    progress_text: str
    status: str = "starting"


@dataclass(frozen=True, kw_only=True)
class Started(Event):
    """Training begins at `step` of `steps` (0 unless resumed); later metrics of an earlier try are void."""

    step: int
    steps: int
    device: str
    precision: str
    dataset_hash: str
    status: str = "running"
    progress_text: str = ""
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class Report(Event):
    """Means over the training images since the last report. Loss is cross-entropy without smoothing, in nats."""

    metric_kind: ClassVar[str] = "train"

    step: int
    epoch: float  # position in epochs: 1.25 is a quarter into the second
    loss: float
    train_accuracy: float  # 0..1
    learning_rate: float
    images_per_second: float
    seconds: float  # of training so far, pauses excluded


@dataclass(frozen=True, kw_only=True)
class EpochEnd(Event):
    """Means over the validation images at the end of an epoch."""

    metric_kind: ClassVar[str] = "validation"

    step: int
    epoch: float
    loss: float
    validation_accuracy: float
    learning_rate: float
    images_per_second: float
    seconds: float
    best_epoch: int
    best_validation_loss: float


@dataclass(frozen=True, kw_only=True)
class RateChanged(Event):
    """A person changed the learning rate after `step` steps; the rest of the schedule is scaled with it."""

    step: int
    epoch: float
    old_rate: float
    learning_rate: float  # of the next step

    def run_changes(self) -> dict[str, Any]:
        return {"learning_rate": self.learning_rate}

    def change(self) -> dict[str, Any]:
        """Column -> value of the row that records it."""
        rates = {"name": "training.learning_rate", "old": self.old_rate, "new": self.learning_rate}
        return {"step": self.step, "epoch": self.epoch} | rates


@dataclass(frozen=True, kw_only=True)
class Finished(Event):
    """The weights of the best epoch, tested on the test images."""

    ends: ClassVar[bool] = True

    test_accuracy: float
    test_loss: float
    status: str = "finished"  # or "stopped", "diverged"
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class Ended(Event):
    """The run left its worker: paused, interrupted, failed, or stopped or diverged without weights to test."""

    ends: ClassVar[bool] = True

    status: str
    message: str = ""
    progress_text: str = ""


def finite(quantities: Mapping[str, float]) -> dict[str, float | None]:
    """As JSON has it: what is not a finite number is None."""
    return {name: value if math.isfinite(value) else None for name, value in quantities.items()}
