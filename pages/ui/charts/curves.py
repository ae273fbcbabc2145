"""Curves made small enough to send every second, however long the run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cnn_core.runs.tables import Change, Metric

MOST_POINTS = 240  # of a training curve; at this many a chart of 420 px has one for every second pixel
MOST_EPOCHS = 120  # of a validation curve

Points = list[list[float]]


def thin(x: NDArray[np.float64], y: NDArray[np.float64], most: int) -> NDArray[np.int64]:
    """Positions of at most `most` points that keep the shape: in each stretch the one farthest from its mean,
    and the last of all."""
    if len(x) <= most:
        return np.arange(len(x))
    edges = np.linspace(0, len(x), most).astype(int)
    kept = [start + int(np.abs(y[start:end] - y[start:end].mean()).argmax()) for start, end in pairwise(edges)]
    return np.array([*kept, len(x) - 1])


def smooth(y: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Mean over `window` points around each, fewer at the ends: unlike a moving mean of the past it does not lag."""
    if len(y) < 3 or window < 2:
        return y
    window = min(window, len(y)) // 2 * 2 + 1
    sums, counts = (np.convolve(values, np.ones(window)) for values in (y, np.ones_like(y)))
    middle = np.s_[window // 2 : window // 2 + len(y)]
    return sums[middle] / counts[middle]


class Record:
    """A run's metrics in columns, as far as they have been read: a live chart adds a few a second. And what a person
    changed in between."""

    def __init__(self, metrics: Iterable[Metric] = (), changes: Sequence[Change] = ()):
        self.changes = changes
        self.last = 0  # id of the newest metric
        self.count = 0
        self._columns: dict[tuple[str, str], list[float]] = defaultdict(list)
        self.add(metrics)

    def add(self, metrics: Iterable[Metric]) -> None:
        """Append metrics in the order they were recorded."""
        for metric in metrics:
            self.last, self.count = metric.id, self.count + 1
            for name in ("epoch", "loss", "accuracy"):
                self._columns[metric.kind, name].append(getattr(metric, name))

    def column(self, kind: str, name: str) -> NDArray[np.float64]:
        """epoch, loss or accuracy of the train or validation metrics: float64 (N,)."""
        return np.array(self._columns[kind, name], np.float64)


def curves(record: Record, quantity: str) -> tuple[Points, Points, Points]:
    """Raw training, smoothed training and validation points [epoch, value] of `quantity`, "loss" or "accuracy"."""
    epochs, values = record.column("train", "epoch"), record.column("train", quantity)
    mean = smooth(values, len(values) // 15)
    raw = thin(epochs, values, MOST_POINTS)
    even = np.unique(np.linspace(0, max(len(mean) - 1, 0), MOST_POINTS).astype(int))[: len(mean)]
    ends, checks = record.column("validation", "epoch"), record.column("validation", quantity)
    few = thin(ends, checks, MOST_EPOCHS)
    return _points(epochs[raw], values[raw]), _points(epochs[even], mean[even]), _points(ends[few], checks[few])


def _points(x: NDArray[np.float64], y: NDArray[np.float64]) -> Points:
    return [[float(f"{a:.5g}"), float(f"{b:.4g}")] for a, b in zip(x, y, strict=True)]
