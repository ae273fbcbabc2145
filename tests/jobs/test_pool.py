"""Real worker processes: queue, commands, crashes, and the end of the app."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from cnn_core.errors import PlaygroundError
from cnn_core.jobs.executors.local_pool import LocalPool, start_workers, wait_until_ready
from cnn_core.jobs.queue import command, delete, submit
from cnn_core.planning.recipe import starting_recipe
from cnn_core.recipe import AugmentSpec, Recipe
from cnn_core.runs.folder import RESUME, RunFolder
from cnn_core.runs.store import store
from cnn_core.runs.tables import Run

ROOT = Path(__file__).parents[2]


def recipe(epochs: int, seed: int = 0) -> Recipe:
    values = starting_recipe("digits", "simple_cnn").model_dump()
    values["data"]["image_size"] = 0
    values["training"] |= {"epochs": epochs, "batch_size": 32}
    values["seed"] = seed
    values["augment"] = [AugmentSpec(kind="rotation").model_dump()]
    return Recipe.model_validate(values)


def wait_for(what: Callable[[], object], seconds: float = 60.0) -> float:
    """Block until `what()` is true. Returns the seconds it took."""
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < seconds, "waited too long"
        time.sleep(0.02)
    return time.monotonic() - began


def status(run_id: str) -> str:
    return store().get(run_id).status


def running(run_id: str, step: int = 3) -> Callable[[], bool]:
    def far_enough() -> bool:
        run: Run = store().get(run_id)
        assert run.status in ("queued", "starting", "running"), run.message
        return run.step >= step

    return far_enough


@pytest.fixture
def pool(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalPool]:
    monkeypatch.setenv("CNN_PLAYGROUND_DEVICES", "cpu")
    pool = start_workers()
    wait_until_ready()
    yield pool
    pool.close()


def test_pause_learning_rate_resume_queue_and_stop(pool: LocalPool) -> None:
    first = submit(recipe(500))
    wait_for(running(first))
    second, third = submit(recipe(500)), submit(recipe(2))
    assert [store().get(run_id).position for run_id in (second, third)] == [1, 2]

    command(first, "learning_rate", 0.0005)
    wait_for(lambda: store().get(first).learning_rate == pytest.approx(0.0005))

    command(first, "pause")
    wait_for(lambda: status(first) == "paused")
    wait_for(running(second))  # a paused run leaves its worker to the next in the queue
    step = store().get(first).step
    command(first, "resume")
    assert store().get(first).position == 2

    wait_for(lambda: store().get(second).best_epoch)
    command(second, "stop")
    wait_for(lambda: status(second) == "stopped")
    assert store().get(second).test_accuracy is not None
    wait_for(lambda: status(third) == "finished")
    wait_for(running(first, step + 1))
    assert store().get(first).learning_rate == pytest.approx(0.0005)

    delete(first)
    last = submit(recipe(1))
    wait_for(lambda: status(last) == "finished")  # the worker noticed and went on
    assert not RunFolder(first).files.folder.exists()


APP = """
import sys, time
from cnn_core.jobs.executors.local_pool import start_workers, wait_until_ready
pool = start_workers(); wait_until_ready(); print(pool.pids[0], flush=True); time.sleep(600)
"""


def start_app() -> tuple[subprocess.Popen[str], psutil.Process]:
    app = subprocess.Popen([sys.executable, "-c", APP], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert app.stdout
    return app, psutil.Process(int(app.stdout.readline()))


def test_workers_end_with_the_app_and_nothing_is_lost(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNN_PLAYGROUND_DEVICES", "cpu")
    app, worker = start_app()
    with app:
        run_id, queued = submit(recipe(300)), submit(recipe(1))
        wait_for(running(run_id, 40))
        app.kill()
    worker.wait(timeout=20)
    run = store().get(run_id)
    assert (run.status, status(queued)) == ("interrupted", "queued")
    assert "saved" in run.message
    assert RunFolder(run_id).has(RESUME)
    app, worker = start_app()
    with app:
        wait_for(lambda: status(queued) == "finished")
        command(run_id, "resume")
        wait_for(running(run_id, run.step + 1))
        app.terminate()
    worker.wait(timeout=20)


class TestWithoutWorkers:
    """What is refused or done at once, with no worker about."""

    def test_queued_runs_pause_resume_and_stop(self, home: Path) -> None:
        run_id = submit(recipe(1))
        command(run_id, "pause")
        assert status(run_id) == "paused"
        command(run_id, "resume")
        assert status(run_id) == "queued"
        command(run_id, "stop")
        assert status(run_id) == "stopped"
        for verb, done in (("pause", "paused"), ("resume", "resumed"), ("stop", "stopped")):
            with pytest.raises(PlaygroundError, match=f"A stopped run cannot be {done}"):
                command(run_id, verb)

    @pytest.mark.parametrize("value", [None, 0.0, -1.0, 11.0, float("nan"), float("inf")])
    def test_a_wrong_learning_rate_is_refused(self, home: Path, value: float | None) -> None:
        with pytest.raises(PlaygroundError, match="learning rate has to be"):
            command(submit(recipe(1)), "learning_rate", value)

    def test_unknown_things_are_sentences(self, home: Path) -> None:
        with pytest.raises(PlaygroundError, match="Known: pause, resume, stop, learning_rate"):
            command(submit(recipe(1)), "hurry")
        with pytest.raises(PlaygroundError, match="There is no run"):
            command("ffffffff", "pause")

    def test_an_impossible_recipe_is_refused_and_not_queued(self, home: Path) -> None:
        tiny = Recipe.model_validate(recipe(1).model_dump() | {"data": {"dataset": "digits", "image_size": 2}})
        with pytest.raises(PlaygroundError, match="Layer"):
            submit(tiny)
        assert store().runs() == []
