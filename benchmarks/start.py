"""How long a person waits at the start, and what the processes weigh."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

from playwright.sync_api import sync_playwright

from benchmarks.app import ROOT, resident_megabytes, running_app
from benchmarks.row import Row, at_most
from benchmarks.visitors import changes
from cnn_core.jobs.pool import start_workers, wait_until_ready
from cnn_core.jobs.queue import command, submit
from cnn_core.runs.store import store
from cnn_core.training.plan import starting_recipe
from tests.browser.chromium import find_chromium

LIGHT = "cnn_core.jobs.queue, cnn_core.jobs.pool, cnn_core.runs.store, cnn_core.training.plan, cnn_core.data.library"
REPEATS = 3


def rows() -> list[Row]:
    bare = [_seconds_of("import cnn_core") - _seconds_of("pass") for _ in range(REPEATS)]
    imports = [_seconds_of(f"import {LIGHT}") - _seconds_of("pass") for _ in range(REPEATS)]
    pool = start_workers()
    try:
        cold = _first_point()
        wait_until_ready()
        warm = [_first_point() for _ in range(REPEATS)]
        time.sleep(1)
        weight = resident_megabytes(pool.pids[0])
        run_id = _finished_run()
    finally:
        pool.close()
    paints, server, waits = _visit(run_id)
    return [
        at_most("start import cnn_core", bare, 0.5, "s"),
        at_most("start import of all of the core that a page needs before torch", imports, 0.5, "s"),
        at_most("start Train to first point, workers still starting", [cold], 6, "s", "in the store"),
        at_most("start Train to first point, warm worker", warm, 1, "s", "in the store"),
        at_most("start memory of an idle warm worker", [weight], 900, "MB"),
        at_most("start memory of the server before a model is used", server, 300, "MB", "after Home was drawn"),
        at_most("start Home in a fresh browser, server just started", paints, 2, "s", "its heading is visible"),
        at_most("start page change on a finished run, 95th percentile", waits, 300, "ms", "server and transfer"),
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


def _finished_run() -> str:
    recipe = starting_recipe("digits", "simple_cnn")
    run_id = submit(recipe.model_copy(update={"training": recipe.training.model_copy(update={"epochs": 3})}))
    while store().get(run_id).live:
        time.sleep(0.1)
    assert store().get(run_id).status == "finished"
    return run_id


def _visit(run_id: str) -> tuple[list[float], list[float], list[float]]:
    """Seconds to Home's heading, MB of the server after that, and 95th percentiles in ms of changing pages."""
    paints, server, waits = [], [], []
    pages = [f"{page}?run={run_id}" for page in ("train", "evaluate", "feature_maps", "classify", "runs", "data")]
    for _ in range(REPEATS):
        with running_app() as app, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
            page = browser.new_page()
            began = time.perf_counter()
            page.goto(app.url)
            page.get_by_role("heading", level=2).first.wait_for()
            paints.append(time.perf_counter() - began)
            browser.close()
            server.append(resident_megabytes(app.pid))
            wait_until_ready()
            asyncio.run(changes(app.url, pages))  # warm
            seconds = sorted(asyncio.run(changes(app.url, pages * 5)))
            waits.append(1000 * seconds[int(0.95 * len(seconds))])
    return paints, server, waits
