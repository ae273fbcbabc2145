"""The results of several runs side by side: differences to the first, and the best where chance does not explain it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from cnn_core.errors import PlaygroundError
from cnn_core.evaluation.significance import Outcome, accuracies_differ, losses_differ, marked
from cnn_core.runs.folder import Predictions, RunFolder
from cnn_core.runs.tables import Run
from pages.ui.charts.comparing import labels
from pages.ui.frame import words

BEST = "background-color: rgba(37, 99, 235, 0.16); font-weight: 600"
EQUALLY_FAST = 1.1  # times that are this near to one another, as a ratio, are equal: other work disturbs them as much
RULE = (
    "Differences are to the first run; those of accuracies are in percentage points. The best value is marked only "
    "where chance does not explain the difference (p < 0.05): accuracies by McNemar's exact test on the test images "
    "that only one of two runs gets right, or by two proportions where the test images are not the same; losses by a "
    "paired t-test. Runs that do not differ significantly from the best share its mark; where that is all of them, "
    "none has it. Times within 10% are equal, and none is marked between runs of different numbers of epochs. The "
    "validation loss has chosen the best epoch, so it is compared with nothing."
)

Differ = Callable[["Column", "Column"], bool]


@dataclass(frozen=True)
class Column:
    """A run with its predictions, where they are kept."""

    run: Run
    predictions: Predictions | None


@dataclass(frozen=True)
class Row:
    """A number of a run: how it and a difference are written, and when two of it differ. `larger` is better, or not."""

    title: str
    value: Callable[[Run], float | None]
    text: Callable[[float], str]
    difference: Callable[[float], str]
    larger: bool = True
    differ: Differ | None = None  # None: no value is marked
    same_length: bool = False  # whether none is marked between runs that trained for different numbers of epochs


def _accuracy(a: Column, b: Column) -> bool:
    return accuracies_differ(
        Outcome(a.run.test_accuracy or 0.0, a.predictions), Outcome(b.run.test_accuracy or 0.0, b.predictions)
    )


def _apart(value: Callable[[Run], float | None]) -> Differ:
    def differ(a: Column, b: Column) -> bool:
        low, high = sorted((value(a.run) or 0.0, value(b.run) or 0.0))
        return high > EQUALLY_FAST * low

    return differ


def _seconds(run: Run) -> float | None:
    return run.seconds or None


def _speed(run: Run) -> float | None:
    return run.images_per_second or None


def _loss(value: float) -> str:
    return f"{value:.4f}"


ROWS = (
    Row(
        "Test accuracy",
        lambda run: run.test_accuracy,
        lambda value: words.percent(value, 2),
        words.points,
        differ=_accuracy,
    ),
    Row(
        "Test loss",
        lambda run: run.test_loss,
        _loss,
        _loss,
        larger=False,
        differ=lambda a, b: losses_differ(a.predictions, b.predictions),
    ),
    Row("Best validation loss", lambda run: run.best_validation_loss, _loss, _loss, larger=False),
    Row("Best epoch", lambda run: run.best_epoch, lambda value: f"{value:.0f}", lambda value: f"{value:.0f}"),
    Row(
        "Training time",
        _seconds,
        words.seconds,
        words.seconds,
        larger=False,
        differ=_apart(_seconds),
        same_length=True,
    ),
    Row("Images per second", _speed, words.compact, words.compact, differ=_apart(_speed)),
)


def table(runs: Sequence[Run]) -> None:
    """One row a number, one column a run."""
    names = list(labels(runs).values())
    columns = [Column(run, _predictions(run)) for run in runs]
    texts, marks = {}, {}
    for row in ROWS:
        values = [row.value(run) for run in runs]
        texts[row.title] = [_with_difference(row, value, values[0]) for value in values]
        marks[row.title] = [BEST if best else "" for best in _best(row, columns, values)]
    frame = pd.DataFrame.from_dict(texts, orient="index", columns=names)
    styles = pd.DataFrame.from_dict(marks, orient="index", columns=names)
    st.dataframe(frame.style.apply(lambda _: styles, axis=None), height="content", key="results")


def _best(row: Row, columns: Sequence[Column], values: Sequence[float | None]) -> list[bool]:
    differ = row.differ
    uneven = row.same_length and len({f"{column.run.epoch:.1f}" for column in columns}) > 1
    if differ is None or uneven:
        return [False] * len(columns)
    return marked(values, row.larger, lambda a, b: differ(columns[a], columns[b]))


def _with_difference(row: Row, value: float | None, first: float | None) -> str:
    if value is None:
        return "–"
    if first is None or value == first:
        return row.text(value)
    return f"{row.text(value)}  ({'+' if value > first else '−'}{row.difference(abs(value - first))})"


def _predictions(run: Run) -> Predictions | None:
    """What the run said of the test images; None where that is not kept or cannot be read."""
    try:
        return RunFolder(run.id).predictions()
    except PlaygroundError:
        return None
