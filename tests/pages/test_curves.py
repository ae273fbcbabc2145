"""Curves stay true and small however long the run."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

from cnn_core.planning.recipe import starting_recipe
from cnn_core.runs.store import store
from cnn_core.runs.tables import Metric
from pages.ui.charts.curves import MOST_POINTS, Record, curves, smooth, thin
from pages.ui.charts.figures import curve_option


@dataclass
class Long:
    """A run of a thousand epochs with a report every second step or so."""

    reports: int = 20_000
    epochs: int = 1000

    def metrics(self) -> list[Metric]:
        rng = np.random.default_rng(0)
        train = [self._metric("train", self.epochs * i / self.reports, rng) for i in range(self.reports)]
        return train + [self._metric("validation", float(epoch), rng) for epoch in range(1, self.epochs + 1)]

    def _metric(self, kind: str, epoch: float, rng: np.random.Generator) -> Metric:
        loss, accuracy = rng.random(2)
        return Metric(id=1, step=1, kind=kind, epoch=epoch, loss=float(loss), accuracy=float(accuracy))


def test_a_long_run_is_at_most_30_kib(home: object) -> None:
    run = store().get(store().create(starting_recipe(), "long"))
    run.best_epoch = 700
    record = Record(Long().metrics())
    size = sum(len(json.dumps(curve_option(run, record, quantity))) for quantity in ("loss", "accuracy"))
    assert size <= 30 * 1024


def test_thinning_keeps_the_ends_and_a_spike() -> None:
    x, y = np.arange(10_000.0), np.zeros(10_000)
    y[1234] = 50.0
    kept = thin(x, y, 100)
    assert len(kept) <= 100
    assert 1234 in kept
    assert kept[-1] == 9999
    assert (np.diff(kept) > 0).all()


def test_a_short_curve_is_not_thinned() -> None:
    assert list(thin(np.arange(5.0), np.arange(5.0), 10)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("window", [1, 3, 4, 9, 50])
def test_smoothing_is_the_mean_of_the_neighbours(window: int) -> None:
    y = np.random.default_rng(1).random(20)
    half = min(window, 20) // 2 if window > 1 else 0
    expected = [y[max(0, i - half) : i + half + 1].mean() for i in range(20)]
    assert smooth(y, window) == pytest.approx(expected)


def test_no_metrics_give_empty_curves() -> None:
    assert curves(Record(), "loss") == ([], [], [])


def test_curves_hold_the_recorded_points() -> None:
    metrics = [
        Metric(id=1, step=1, kind="train", epoch=0.5, loss=2.0, accuracy=0.1),
        Metric(id=1, step=1, kind="validation", epoch=1, loss=1.5, accuracy=0.4),
    ]
    assert curves(Record(metrics), "loss") == ([[0.5, 2.0]], [[0.5, 2.0]], [[1.0, 1.5]])
    assert MOST_POINTS >= 200
