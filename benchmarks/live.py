"""What it costs a run that somebody looks at it while it trains: the present weights, written about once a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import numpy as np
from torch import Tensor

from benchmarks.row import Row, at_most
from benchmarks.throughput import BATCH, dataset_of
from cnn_core.models.presets import layers_of
from cnn_core.recipe import NetworkSpec, Recipe, TrainingSpec
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.live import forget_live, mark_watched
from cnn_core.runs.store import store
from cnn_core.training.live import SHARE
from cnn_core.training.memory import keep_freed_memory
from cnn_core.training.session import TrainingSession

CASES = {"simple_cnn": (3, 32, 32), "compact_resnet": (1, 28, 28), "mlp": (1, 28, 28)}
PAIRS, WINDOW = 16, 1.5  # windows of seconds, watched and not in turn: the computer's own moods last longer than one
MOST = 100 * SHARE


def rows() -> list[Row]:
    return [row for name, shape in CASES.items() for row in _rows(name, shape)]


def _rows(name: str, shape: tuple[int, int, int]) -> list[Row]:
    run = _Run(name, shape)
    run.train(watched=True)  # warm
    pairs = [_pair(run, watched_first=bool(number % 2)) for number in range(PAIRS)]
    watched, unwatched = zip(*pairs, strict=True)
    slower = [100 * (1 - one.speed / other.speed) for one, other in pairs]
    error = float(np.std(slower, ddof=1)) / PAIRS**0.5
    shares = [100 * window.writing for window in watched]
    writes = sum(window.writes for window in watched)
    speeds = f"{np.median([one.speed for one in watched]):,.0f} against {np.median([o.speed for o in unwatched]):,.0f}"
    note = f"mean {np.mean(slower):.2f} ± {error:.2f}; {speeds} images/s"
    each = f"{writes / (PAIRS * WINDOW):.2f} writes/s, {10 * sum(shares) * WINDOW / max(1, writes):.1f} ms each"
    assert not sum(window.writes for window in unwatched)
    return [
        at_most(f"live {name}: writing the present weights, share of training time", shares, MOST, "%", each),
        at_most(f"live {name}: training slower while watched by", slower, MOST, "%", note),
    ]


class _Window:
    """What was done in WINDOW seconds: images a second, the part of the time, 0..1, that writing took, and writes."""

    def __init__(self, images: int, seconds: float, spent: list[float]):
        self.speed, self.writing, self.writes = images / seconds, sum(spent) / seconds, len(spent) // 2


def _pair(run: _Run, watched_first: bool) -> tuple[_Window, _Window]:
    """A watched window and one that is not."""
    found = {watched: run.train(watched) for watched in (watched_first, not watched_first)}
    return found[True], found[False]


class _Run:
    """A session whose steps are taken here, without validation: one would fall into some windows only."""

    def __init__(self, name: str, shape: tuple[int, int, int]):
        keep_freed_memory()
        layers = layers_of(NetworkSpec(preset=name))
        training = TrainingSpec(epochs=1000, batch_size=BATCH, device="cpu")
        recipe = Recipe(network=NetworkSpec(preset=name, layers=layers), training=training)
        dataset = dataset_of(shape)
        self._id = store().create(recipe, "benchmark", "worker")
        self._session = TrainingSession(recipe, dataset, RunFolder(self._id))
        self._session.network.train()
        self._batches = self._endless()
        self._spent: list[float] = []
        live = self._session._live
        live._copy, live._write = self._timed(live._copy), self._timed(live._write)  # type: ignore[method-assign]
        self._session.folder.write_plan(self._session._plan())

    def train(self, watched: bool) -> _Window:
        forget_live(self._id)
        self._spent.clear()
        began, images = time.perf_counter(), 0
        while (now := time.perf_counter()) - began < WINDOW:
            if watched and not images:
                mark_watched(self._id)  # counts for longer than a window
            batch, labels = next(self._batches)
            self._session._live(batch, labels, 1e-3)
            images += len(batch)
        return _Window(images, now - began, self._spent)

    def _endless(self) -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            yield from self._session.batches.epoch()

    def _timed(self, work: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(work)
        def timed(*arguments: Any) -> Any:
            began = time.perf_counter()
            try:
                return work(*arguments)
            finally:
                self._spent.append(time.perf_counter() - began)

        return timed
