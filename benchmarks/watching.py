"""What it costs to look: reports and store writes, and twenty sessions on one live run."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.app import App, running_app
from benchmarks.row import Row, at_most
from benchmarks.visitors import visits
from cnn_core.data.library import open_dataset
from cnn_core.jobs.pool import wait_until_ready
from cnn_core.jobs.queue import command, submit
from cnn_core.recipe import Recipe
from cnn_core.runs.events import Report
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store
from cnn_core.training.plan import check, starting_recipe
from cnn_core.training.session import TrainingSession

SESSIONS, SECONDS, REPEATS, SETTLE = 20, 15.0, 3, 14.0
VISITORS = Path(__file__).with_name("visitors.py")


def rows() -> list[Row]:
    shares = [_recording_share() for _ in range(3)]
    with running_app() as app:
        asyncio.run(visits(app.url, 1, 1.0))  # the app starts its workers when it is first visited
        wait_until_ready()
        run_id = submit(_long())
        while not store().metrics(run_id):
            time.sleep(0.05)
        time.sleep(5)
        slower, ticks = _watched(app, run_id)
        command(run_id, "stop")
    name = f"watching {SESSIONS} sessions on one live run"
    return [
        at_most("watching reports and store writes, share of training time", shares, 1, "%"),
        at_most(f"{name}: training slower by", slower, 3, "%", "against none, in turn"),
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


def _watched(app: App, run_id: str) -> tuple[list[float], list[list[float]]]:
    """Per cent by which training is slower while it is watched, and the durations of the refreshes, by repeat."""
    slower, ticks = [], []
    for _ in range(REPEATS):
        alone = _speed(run_id, SECONDS)
        command_line = [
            sys.executable,
            str(VISITORS),
            f"{app.url}/train?run={run_id}",
            str(SESSIONS),
            str(SETTLE + SECONDS + 1),
        ]
        with subprocess.Popen(command_line, stdout=subprocess.PIPE, text=True) as program:
            time.sleep(SETTLE)  # until all have their page and know of each other
            watched = _speed(run_id, SECONDS)
            output, _ = program.communicate()
        ticks.append(json.loads(output))
        time.sleep(SETTLE)
        slower.append(100 * (1 - watched / alone))
    return slower, ticks


def _speed(run_id: str, seconds: float) -> float:
    """Epochs a second from the run's own record, validation included."""
    first, began = store().get(run_id), time.perf_counter()
    time.sleep(seconds)
    last = store().get(run_id)
    return (last.step - first.step) / (time.perf_counter() - began)
