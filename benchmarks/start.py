"""How long a person waits at the start, and what the processes weigh."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import time

from playwright.sync_api import sync_playwright

from benchmarks.app import ROOT, resident_megabytes, running_app
from benchmarks.row import Row, at_most
from benchmarks.visitors import changes
from cnn_core.data.catalogue.library import open_dataset
from cnn_core.jobs.executors.local_pool import start_workers, wait_until_ready
from cnn_core.jobs.queue import command, submit
from cnn_core.planning.recipe import check, starting_recipe
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store
from cnn_core.settings import settings
from tests.browser.chromium import find_chromium

LIGHT = (
    "cnn_core.jobs.queue, cnn_core.jobs.executors.local_pool, cnn_core.runs.store, cnn_core.planning.recipe, "
    "cnn_core.data.catalogue.library"
)
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
    cold_paints, paints, server, waits = _visit(run_id)
    choices = [_choosing() for _ in range(REPEATS)]
    return [
        at_most("start import cnn_core", bare, 0.5, "s"),
        at_most("start import of all of the core that a page needs before torch", imports, 0.5, "s"),
        at_most("start Train to first point, workers still starting", [cold], 6, "s", "in the store"),
        at_most("start Train to first point, warm worker", warm, 1, "s", "in the store"),
        at_most("start choosing how to compute", choices, 1.2, "s", "once per network, batch size and computer"),
        at_most("start memory of an idle warm worker", [weight], 900, "MB"),
        at_most("start memory of the server before a model is used", server, 300, "MB", "after Home was drawn"),
        at_most("start Home in a fresh browser, server just started", cold_paints, 2, "s", "its heading is visible"),
        at_most("start Home in a fresh browser, workers warm", paints, 2, "s", "its heading is visible"),
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


def _visit(run_id: str) -> tuple[list[float], list[float], list[float], list[float]]:
    """Seconds to Home's heading at the first visit and later, MB of the server after the first, and 95th percentiles
    in ms of changing pages."""
    cold_paints, paints, server, waits = [], [], [], []
    pages = [f"{page}?run={run_id}" for page in ("train", "evaluate", "inside", "classify", "runs", "data")]
    for _ in range(REPEATS):
        with running_app() as app:
            cold_paints.append(_paint(app.url))
            server.append(resident_megabytes(app.pid))
            wait_until_ready()
            paints.append(_paint(app.url))
            asyncio.run(changes(app.url, pages))  # warm
            seconds = sorted(asyncio.run(changes(app.url, pages * 5)))
            waits.append(1000 * seconds[int(0.95 * len(seconds))])
    return cold_paints, paints, server, waits


def _paint(url: str) -> float:
    """Seconds until a fresh browser shows the heading of the page."""
    program = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        began = time.perf_counter()
        page.goto(url)
        page.get_by_role("heading", level=2).first.wait_for()
        seconds = time.perf_counter() - began
        browser.close()
    return seconds


def _choosing() -> float:
    """Seconds that the measurement at the start of the first run of the recommended network takes."""
    from cnn_core.training.session import TrainingSession

    recipe = check(starting_recipe())
    dataset, folder = open_dataset(recipe.data.dataset), RunFolder(store().create(recipe, "choosing", "benchmark"))
    TrainingSession(recipe, dataset, folder).rehearse()  # torch is loaded and warm
    shutil.rmtree(settings().home / "measured")
    began = time.perf_counter()
    TrainingSession(recipe, dataset, folder)
    return time.perf_counter() - began
