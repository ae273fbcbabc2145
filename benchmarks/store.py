"""The Runs page with a thousand runs of a thousand reports each."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from streamlit.testing.v1 import AppTest

from benchmarks.row import Row, at_most
from cnn_core.planning.recipe import check, starting_recipe
from cnn_core.runs.store import store
from cnn_core.settings import settings

ROOT = Path(__file__).parents[1]
RUNS, REPORTS, REPEATS = 1000, 1000, 3


def rows() -> list[Row]:
    recipe = check(starting_recipe())
    ids = [store().create(recipe, f"run {number}") for number in range(RUNS)]
    with sqlite3.connect(settings().home / "playground.db") as database:
        database.execute("update runs set status = 'finished', test_accuracy = 0.9, best_epoch = 10, seconds = 20")
        database.executemany(
            "insert into metrics (run_id, kind, step, epoch, loss, accuracy, learning_rate, images_per_second, seconds)"
            " values (?, 'train', ?, ?, 0.5, 0.8, 0.1, 5000, 1)",
            ((run_id, step, step / 100) for run_id in ids for step in range(REPORTS)),
        )
    times = [_open_runs_page() for _ in range(REPEATS + 1)][1:]
    return [at_most(f"store Runs page with {RUNS:,} runs of {REPORTS:,} reports", times, 1.0, "s", "server time")]


def _open_runs_page() -> float:
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).switch_page("pages/runs.py")
    began = time.perf_counter()
    page.run()
    assert not page.exception
    return time.perf_counter() - began
