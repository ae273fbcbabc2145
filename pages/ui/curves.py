"""Curves made small enough to send every second, however long the run."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cnn_core.runs.tables import Metric

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


def smooth(y: NDArray[np.float64], window: float) -> NDArray[np.float64]:
    """Exponential moving mean over about `window` points, without a pull towards the first one."""
    keep = 1 - 1 / max(window, 1.0)
    smoothed, total, weight = np.empty_like(y), 0.0, 0.0
    for position, value in enumerate(y):
        total, weight = keep * total + value, keep * weight + 1
        smoothed[position] = total / weight
    return smoothed


def curves(metrics: Sequence[Metric], quantity: str) -> tuple[Points, Points, Points]:
    """Raw training, smoothed training and validation points [epoch, value] of `quantity`, "loss" or "accuracy"."""
    train = _columns([metric for metric in metrics if metric.kind == "train"], quantity)
    validation = _columns([metric for metric in metrics if metric.kind == "validation"], quantity)
    mean = smooth(train[1], len(train[1]) / 30)
    raw = thin(*train, MOST_POINTS)
    even = np.unique(np.linspace(0, max(len(mean) - 1, 0), MOST_POINTS).astype(int))[: len(mean)]
    few = thin(*validation, MOST_EPOCHS)
    return (
        _points(train[0][raw], train[1][raw]),
        _points(train[0][even], mean[even]),
        _points(validation[0][few], validation[1][few]),
    )


def _columns(metrics: Sequence[Metric], quantity: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    epochs = np.array([metric.epoch for metric in metrics], np.float64)
    return epochs, np.array([getattr(metric, quantity) for metric in metrics], np.float64)


def _points(x: NDArray[np.float64], y: NDArray[np.float64]) -> Points:
    return [[float(f"{a:.5g}"), float(f"{b:.4g}")] for a, b in zip(x, y, strict=True)]
