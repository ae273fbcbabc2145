"""What it costs to look: reports and store writes, and twenty sessions on one live run."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.app import App, running_app
from benchmarks.row import Row, at_most
from benchmarks.visitors import visits
from cnn_core.data.catalogue.library import open_dataset
from cnn_core.jobs.executors.local_pool import wait_until_ready
from cnn_core.jobs.queue import command, submit
from cnn_core.planning.recipe import check, starting_recipe
from cnn_core.recipe import Recipe
from cnn_core.runs.events import Report
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store
from cnn_core.training.session import TrainingSession

SESSIONS, SECONDS, SETTLE = 20, 15.0, 14.0
PAIRS, WINDOW, PAUSE = 12, 8.0, 2.0  # looks alternate with none: the computer's own moods last longer than a window
VISITORS = Path(__file__).with_name("visitors.py")


def rows() -> list[Row]:
    fractions = [_recording_share() for _ in range(3)]
    with running_app() as app:
        asyncio.run(visits(app.url, 1, 1.0))  # the app starts its workers when it is first visited
        wait_until_ready()
        run_id = submit(_long())
        while not store().metrics(run_id):
            time.sleep(0.05)
        time.sleep(5)
        ticks = np.array_split(_refreshes(app, run_id), 3)
        slower = list(_slower(app, run_id))
        command(run_id, "stop")
    error = float(np.std(slower, ddof=1)) / len(slower) ** 0.5
    name = f"watching {SESSIONS} sessions on one live run"
    return [
        at_most("watching reports and store writes, share of training time", fractions, 1, "%"),
        at_most(f"{name}: training slower by", slower, 3, "%", f"mean {np.mean(slower):.1f} ± {error:.1f}"),
        at_most(f"{name}: slowest refresh", [1000 * max(few) for few in ticks], 100, "ms", "asked to finished"),
        at_most(f"{name}: median refresh", [1000 * float(np.median(few)) for few in ticks], 100, "ms"),
    ]


def _long() -> Recipe:
    recipe = starting_recipe()
    return recipe.model_copy(update={"training": recipe.training.model_copy(update={"epochs": 1000})})


def _recording_share() -> float:
    """Per cent of a training of SECONDS that goes to making reports, writing them and asking for commands."""
    recipe = check(_long())
    dataset = open_dataset(recipe.data.dataset)
    run_id = store().create(recipe, "benchmark", "worker")
    session = TrainingSession(recipe, dataset, RunFolder(run_id))
    session.rehearse()
    make, spent = session._report, 0.0

    def report() -> Report:
        nonlocal spent
        began = time.perf_counter()
        event = make()
        spent += time.perf_counter() - began
        return event

    session._report = report  # type: ignore[method-assign]
    began = time.perf_counter()
    for event in session.run():
        told = time.perf_counter()
        store().record(run_id, "worker", event)
        store().commands(run_id)
        spent += time.perf_counter() - told
        if time.perf_counter() - began > SECONDS:
            break
    return 100 * spent / (time.perf_counter() - began)


def _refreshes(app: App, run_id: str) -> list[float]:
    """Seconds of each refresh of the sessions, left alone."""
    with _visitors(app, run_id, SETTLE + SECONDS) as visitors:
        return json.loads(visitors.communicate()[0])


def _slower(app: App, run_id: str) -> Iterator[float]:
    """Per cent by which training is slower while it is watched, for each pair of windows."""
    with _visitors(app, run_id, SETTLE + PAIRS * 2 * (WINDOW + PAUSE)) as visitors:
        time.sleep(SETTLE)  # until all have their page and know of each other
        for pair in range(PAIRS):
            speeds = {}
            for looking in (True, False) if pair % 2 else (False, True):
                visitors.send_signal(signal.SIGCONT if looking else signal.SIGSTOP)  # the sessions stay open
                time.sleep(PAUSE)
                speeds[looking] = _speed(run_id, WINDOW)
            yield 100 * (1 - speeds[True] / speeds[False])
        visitors.send_signal(signal.SIGCONT)
        visitors.communicate()


def _visitors(app: App, run_id: str, seconds: float) -> subprocess.Popen[str]:
    program = [sys.executable, str(VISITORS), f"{app.url}/train?run={run_id}", str(SESSIONS), str(seconds)]
    return subprocess.Popen(program, stdout=subprocess.PIPE, text=True)


def _speed(run_id: str, seconds: float) -> float:
    """Steps a second between the first and the last report of a window, by the run's own clock, validation included."""
    first = store().get(run_id)
    time.sleep(seconds)
    last = store().get(run_id)
    return (last.step - first.step) / (last.seconds - first.seconds)
