"""Tables of the run store."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import JSON, Float, ForeignKey, Index
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from cnn_core.errors import RecipeError
from cnn_core.recipe import LayerSpec, Recipe
from cnn_core.runs.plain_text import PlainString, PlainText

LIVE = ("queued", "starting", "running")
TESTED = ("finished", "stopped", "diverged")  # their best weights were tested, where there were any
RESUMABLE = ("paused", "interrupted")
OUT_OF_MEMORY = "There was not enough memory for this run."
LAYERS = TypeAdapter(tuple[LayerSpec, ...])
HELD = ("starting", "running")  # a worker is working on it


class Base(DeclarativeBase):
    __allow_unmapped__ = True  # `Run.position` is no column
    type_annotation_map = {float: Float(53), dict[str, Any]: JSON, list[str]: JSON}  # noqa: RUF012 - SQLAlchemy reads it as a plain attribute


class Run(Base):
    """One run. Times are Unix seconds; losses are cross-entropy in nats; accuracies are 0..1.

    status: queued, starting, running, paused, interrupted, finished, stopped, diverged or failed.
    """

    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(PlainString(16), primary_key=True)
    number: Mapped[int]  # counts the runs, deleted ones too: its colour in charts
    name: Mapped[str] = mapped_column(PlainString(200))
    status: Mapped[str] = mapped_column(PlainString(16), index=True)
    recipe_json: Mapped[str] = mapped_column(PlainText)
    created: Mapped[float]
    queued: Mapped[float]  # when it joined the queue; orders the queue
    started: Mapped[float | None]
    finished: Mapped[float | None]
    worker: Mapped[str | None] = mapped_column(
        PlainString(64)
    )  # the worker that holds it or, interrupted, held it last
    heartbeat: Mapped[float | None]
    device: Mapped[str] = mapped_column(PlainString(64), default="")
    precision: Mapped[str] = mapped_column(PlainString(64), default="")
    dataset_hash: Mapped[str] = mapped_column(PlainString(64), default="")
    epoch: Mapped[float] = mapped_column(default=0.0)
    step: Mapped[int] = mapped_column(default=0)
    steps: Mapped[int] = mapped_column(default=0)
    images_per_second: Mapped[float] = mapped_column(default=0.0)
    seconds: Mapped[float] = mapped_column(default=0.0)
    learning_rate: Mapped[float] = mapped_column(default=0.0)
    best_epoch: Mapped[int | None]
    best_validation_loss: Mapped[float | None]
    train_accuracy: Mapped[float | None]
    validation_accuracy: Mapped[float | None]
    test_accuracy: Mapped[float | None]
    test_loss: Mapped[float | None]
    message: Mapped[str] = mapped_column(PlainText, default="")
    progress_text: Mapped[str] = mapped_column(PlainString(200), default="")
    dataset: Mapped[str] = mapped_column(PlainString(200), default="", index=True)  # its name, as the recipe has it
    network: Mapped[str] = mapped_column(PlainString(200), default="")  # the preset it began as
    device_wanted: Mapped[str] = mapped_column(PlainString(16), default="auto")  # what the recipe asks for
    executor: Mapped[str] = mapped_column(
        PlainString(32), default=""
    )  # name of the executor it is meant for; "" for any
    owner: Mapped[str] = mapped_column(PlainString(64), default="")
    group_name: Mapped[str] = mapped_column(PlainString(64), default="")
    parent_run: Mapped[str | None] = mapped_column(PlainString(16))  # whose weights it started from; may be deleted
    parent_epoch: Mapped[int | None]
    note: Mapped[str] = mapped_column(PlainText, default="")
    tags: Mapped[list[str]] = mapped_column(default=list)
    quantities: Mapped[dict[str, Any]] = mapped_column(default=dict)  # results without a column of their own, by name

    position: int | None = None  # place in the queue, 1 = next; set by the store on queued runs
    unserved: bool = False  # no worker can compute on the device it asks for; set by `RunStore.get` on queued runs

    @cached_property
    def recipe(self) -> Recipe:
        """Raises RecipeError when it cannot be read: it is damaged or of another version."""
        if self.known_recipe is None:
            raise RecipeError(
                f"The recipe of the run {self.name} cannot be read: it is damaged, or was made by another version of "
                "CNN Playground. The run can be renamed and deleted, but not trained or looked into."
            )
        return self.known_recipe

    @cached_property
    def known_recipe(self) -> Recipe | None:
        """The recipe, None where it cannot be read: for lists, in which one bad row must not cost the others."""
        try:
            return Recipe.model_validate_json(self.recipe_json)
        except (ValidationError, RecipeError):
            return None

    @property
    def epochs(self) -> int:
        """Epochs its recipe asks for; where that cannot be read, those it has begun."""
        return self.known_recipe.training.epochs if self.known_recipe else max(1, math.ceil(self.epoch))

    @property
    def live(self) -> bool:
        """Whether its numbers may still change by themselves."""
        return self.status in LIVE

    @property
    def resumable(self) -> bool:
        return self.status in RESUMABLE

    @property
    def was_too_large(self) -> bool:
        """Whether it was interrupted because its memory ran out: a smaller batch may work."""
        return self.status == "interrupted" and self.message.startswith(OUT_OF_MEMORY)

    @property
    def remaining(self) -> float | None:
        """Estimated seconds of training left, from the mean time of a step so far; None while unknown."""
        if not self.step or not self.steps:
            return None
        return self.seconds / self.step * (self.steps - self.step)


class Metric(Base):
    """One point of a curve; `kind` is "train" (mean since the last report) or "validation" (end of an epoch)."""

    __tablename__ = "metrics"
    __table_args__ = (Index("metrics_of_run", "run_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(PlainString(16))
    step: Mapped[int]
    epoch: Mapped[float]
    loss: Mapped[float]
    accuracy: Mapped[float]
    learning_rate: Mapped[float]
    images_per_second: Mapped[float]
    seconds: Mapped[float]
    quantities: Mapped[dict[str, Any]] = mapped_column(default=dict)  # measured too, by name


class Counter(Base):
    """The largest number given out to a point of a curve or to a run, also to those that are deleted since."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(PlainString(32), primary_key=True)
    value: Mapped[int] = mapped_column(default=0)


class Change(Base):
    """A choice that a person changed while the run was training; `name` is the recipe field, as in Recipe.flat()."""

    __tablename__ = "changes"
    __table_args__ = (Index("changes_of_run", "run_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    step: Mapped[int]  # steps done with the old value
    epoch: Mapped[float]
    name: Mapped[str] = mapped_column(PlainString(64))
    old: Mapped[float]
    new: Mapped[float]
    time: Mapped[float]  # Unix seconds


class Command(Base):
    """A wish of a page for a running run: pause, stop, learning_rate."""

    __tablename__ = "commands"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    verb: Mapped[str] = mapped_column(PlainString(16))
    value: Mapped[float | None]


class Worker(Base):
    """A worker process that lives; `ready` once torch is loaded and warm."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(PlainString(64), primary_key=True)
    slot: Mapped[int]
    pid: Mapped[int]
    device: Mapped[str] = mapped_column(PlainString(64))
    serves: Mapped[str] = mapped_column(PlainString(64), default="auto,cpu")  # devices to ask it for, with commas
    ready: Mapped[bool]
    heartbeat: Mapped[float]
    run_id: Mapped[str | None] = mapped_column(PlainString(16))


class Network(Base):
    """A network that a person saved under a name. Times are Unix seconds."""

    __tablename__ = "networks"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(PlainString(80))
    name_key: Mapped[str] = mapped_column(PlainString(64), unique=True)  # equal for names that count as the same
    owner: Mapped[str] = mapped_column(PlainString(64), default="")  # as typed; "" where nobody is named
    digest: Mapped[str] = mapped_column(PlainString(8))  # of the layers, see cnn_core.saved_networks
    image_size: Mapped[int] = mapped_column(default=0)  # side in pixels it is meant for; 0: any
    teaches: Mapped[str] = mapped_column(PlainText, default="")  # one sentence
    created: Mapped[float]
    changed: Mapped[float]
    layers_json: Mapped[str] = mapped_column(PlainText)

    @cached_property
    def layers(self) -> tuple[LayerSpec, ...]:
        """Raises RecipeError when they cannot be read: they are damaged."""
        try:
            return LAYERS.validate_json(self.layers_json)
        except ValidationError:
            raise RecipeError(f"The layers of the saved network {self.name} cannot be read. Delete it.") from None
