"""What every executor does with the queue, with real processes."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file

from cnn_core.jobs.executors import local_pool, slot
from cnn_core.jobs.executors.executor import Executor
from cnn_core.jobs.executors.registry import executors
from cnn_core.jobs.queue import command, delete, submit
from cnn_core.planning.recipe import starting_recipe
from cnn_core.recipe import Recipe
from cnn_core.runs.folder import RunFolder, snapshot
from cnn_core.runs.store import store


def recipe(epochs: int, device: str = "auto") -> Recipe:
    values = starting_recipe("digits", "simple_cnn").model_dump()
    values["data"]["image_size"] = 0
    values["training"] |= {"epochs": epochs, "batch_size": 32, "device": device}
    return Recipe.model_validate(values)


def wait_for(what: Callable[[], object], seconds: float = 60.0) -> None:
    limit = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < limit, "waited too long"
        time.sleep(0.02)


def same_weights(one: str, other: str, epoch: int) -> bool:
    ours, theirs = (load_file(RunFolder(run_id).files.open(snapshot(epoch))) for run_id in (one, other))
    return all(torch.equal(ours[name], theirs[name]) for name in theirs)


def status(run_id: str) -> str:
    return store().get(run_id).status


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("executors") / "home"
        patch.setenv("CNN_PLAYGROUND_HOME", str(folder))
        patch.setenv("CNN_PLAYGROUND_DEVICES", "cpu")
        yield folder


@pytest.fixture(scope="module", params=executors.names())
def executor(request: pytest.FixtureRequest, shared_home: Path) -> Iterator[Executor]:
    """Started, and closed at the end: then nothing that it started is left."""
    before = set(psutil.Process().children(recursive=True))
    started = executors.get(request.param)()
    started.start_queued()
    yield started
    started.close()
    assert not [child for child in psutil.Process().children(recursive=True) if child not in before]


@pytest.fixture(autouse=True)
def _nothing_queued(executor: Executor) -> Iterator[None]:
    yield
    for run in store().runs():
        if run.live:
            delete(run.id)
            executor.end(run.id)


def test_what_is_queued_is_trained_in_turn(executor: Executor) -> None:
    ids = [submit(recipe(1)) for _ in range(2)]
    executor.start_queued()
    executor.start_queued()
    wait_for(lambda: [status(run_id) for run_id in ids] == ["finished"] * 2)
    ends = [store().get(run_id).finished or 0 for run_id in ids]
    assert ends == sorted(ends)
    assert executor.trouble == ""


def test_a_run_that_is_ended_can_be_resumed_to_the_same_weights(executor: Executor) -> None:
    whole, cut, behind = submit(recipe(6)), submit(recipe(6)), submit(recipe(1))
    wait_for(lambda: store().get(cut).best_epoch)
    assert executor.end(cut)
    assert status(cut) == "interrupted"
    wait_for(lambda: status(behind) == "finished")  # its place is free again
    command(cut, "resume")
    wait_for(lambda: status(cut) == "finished")
    assert same_weights(cut, whole, 6)


def test_a_run_that_answers_nothing_is_ended_too(executor: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slot, "CLOSE_SECONDS", 0.5)
    run_id, behind = submit(recipe(500)), submit(recipe(1))
    wait_for(lambda: store().get(run_id).best_epoch)
    process = psutil.Process(_pid_of(run_id))
    os.kill(process.pid, signal.SIGSTOP)
    assert executor.end(run_id)
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    assert status(run_id) == "interrupted"
    wait_for(lambda: status(behind) == "finished")


def test_a_process_that_stays_with_a_deleted_run_is_replaced(
    executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_pool, "STRAY_SECONDS", 4.0)
    monkeypatch.setattr(slot, "CLOSE_SECONDS", 0.5)
    run_id = submit(recipe(500))
    wait_for(lambda: store().get(run_id).best_epoch)
    pid = _pid_of(run_id)
    os.kill(pid, signal.SIGSTOP)
    delete(run_id)
    behind = submit(recipe(1))
    wait_for(lambda: status(behind) == "finished")
    assert not psutil.pid_exists(pid)


def test_a_killed_process_is_replaced_and_its_run_resumed_to_the_same_weights(executor: Executor) -> None:
    whole, cut = submit(recipe(6)), submit(recipe(6))
    wait_for(lambda: (store().get(cut).best_epoch or 0) >= 1)
    os.kill(_pid_of(cut), signal.SIGKILL)
    wait_for(lambda: status(cut) == "interrupted", 15)
    command(cut, "resume")
    wait_for(lambda: status(cut) == "finished")
    assert same_weights(cut, whole, 6)
    steps = [[point.step for point in store().metrics(run_id) if point.kind == "validation"] for run_id in (cut, whole)]
    assert steps[0] == steps[1]


def test_what_it_does_not_hold_it_does_not_end(executor: Executor) -> None:
    done = submit(recipe(1))
    wait_for(lambda: status(done) == "finished")
    paused = submit(recipe(1))
    command(paused, "pause")
    for run_id in (done, paused, "ffffffff"):
        assert executor.end(run_id) is False
    elsewhere = store().create(recipe(1), "elsewhere", worker="another:1")
    assert executor.end(elsewhere) is False
    assert [status(run_id) for run_id in (done, paused, elsewhere)] == ["finished", "paused", "starting"]


def test_a_run_for_a_device_that_is_not_here_waits(executor: Executor) -> None:
    if torch.backends.mps.is_available():
        pytest.skip("this computer has the device")
    waiting, behind = submit(recipe(1, "mps")), submit(recipe(1))
    wait_for(lambda: status(behind) == "finished")
    assert status(waiting) == "queued"
    assert store().get(waiting).unserved


def _pid_of(run_id: str) -> int:
    holder = store().get(run_id).worker
    return next(worker.pid for worker in store().workers() if worker.id == holder)
