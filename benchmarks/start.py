"""How long a person waits at the start, and what the processes weigh."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.row import Row, at_most
from cnn_core.jobs.pool import start_workers, wait_until_ready
from cnn_core.jobs.queue import command, submit
from cnn_core.runs.store import store
from cnn_core.training.plan import starting_recipe

ROOT = Path(__file__).parents[1]
LIGHT = "cnn_core.jobs.queue, cnn_core.jobs.pool, cnn_core.runs.store, cnn_core.training.plan, cnn_core.data.library"
REPEATS = 3


def rows() -> list[Row]:
    imports = [_seconds_of(f"import {LIGHT}") - _seconds_of("pass") for _ in range(REPEATS)]
    pool = start_workers()
    try:
        cold = _first_point()
        wait_until_ready()
        warm = [_first_point() for _ in range(REPEATS)]
        time.sleep(1)
        weight = _megabytes(pool.pids[0])
    finally:
        pool.close()
    return [
        at_most("start import of the core without torch", imports, 0.5, "s"),
        at_most("start Train to first point, workers still starting", [cold], 6, "s", "in the store"),
        at_most("start Train to first point, warm worker", warm, 1, "s", "in the store"),
        at_most("start memory of an idle warm worker", [weight], 900, "MB"),
    ]


def _seconds_of(code: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    return time.perf_counter() - began


def _first_point() -> float:
    """Seconds from submitting the default run until its first metric can be read; the run is then stopped."""
    began = time.perf_counter()
    run_id = submit(starting_recipe())
    while not store().metrics(run_id):
        time.sleep(0.005)
    seconds = time.perf_counter() - began
    command(run_id, "stop")
    while store().get(run_id).live:
        time.sleep(0.01)
    return seconds


def _megabytes(pid: int) -> float:
    """Resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1000
