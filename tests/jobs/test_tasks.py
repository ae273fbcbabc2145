"""Background work in real processes: shared, cancelled, killed, and found again after a restart."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock
from pydantic import BaseModel

from cnn_core.data.catalogue.library import Progress, is_ready, open_dataset
from cnn_core.data.explore.statistics import sample
from cnn_core.evaluation.label_safety import at_strengths, kinds_to_try, label_safety
from cnn_core.inference import Classifier
from cnn_core.jobs.execute import execute
from cnn_core.jobs.tasks import run as run_module
from cnn_core.jobs.tasks import task as task_module
from cnn_core.jobs.tasks.kind import Report, TaskKind, task_kinds
from cnn_core.jobs.tasks.prepare_dataset import PrepareRequest, preparation_of
from cnn_core.jobs.tasks.task import DONE, FAILED, LOCK, REQUEST, UNEXPLAINED, Task, TaskState, put
from cnn_core.jobs.tasks.try_augmentations import IMAGES, TryRequest, result_of, tries_of
from cnn_core.planning.recipe import check, starting_recipe
from cnn_core.recipe import Recipe
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store

DIGITS = PrepareRequest(dataset="digits")


def wait_for(what: Callable[[], object], seconds: float = 60.0) -> None:
    limit = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < limit, "waited too long"
        time.sleep(0.02)


def ended(task: Task[Any]) -> TaskState | None:
    wait_for(lambda: (state := task.state()) is None or not state.busy)
    return task.state()


def test_a_data_set_is_prepared(home: Path) -> None:
    task = preparation_of("digits")
    assert task.state() is None
    task.start(DIGITS)
    state = ended(task)
    assert state
    assert (state.result, state.error) == ({"images": 1797}, "")
    assert is_ready("digits")
    task.forget()
    assert task.state() is None


def test_what_goes_wrong_is_a_sentence_and_may_be_tried_again(home: Path) -> None:
    task = preparation_of("mnist")
    for _ in range(2):
        task.start(PrepareRequest(dataset="mnist"))
        state = ended(task)
        assert state
        assert "MNIST could not be downloaded" in state.error


class Slow(BaseModel):
    """Nothing to choose."""


@pytest.fixture
def slow(home: Path, monkeypatch: pytest.MonkeyPatch) -> Task[Slow]:
    """A task whose process does no work of ours: it holds the lock until it is ended, as one at work does."""
    monkeypatch.setattr(task_module, "spawn", lambda *arguments, log: holder(home, arguments[1]))
    return Task(TaskKind("slow", Slow, lambda request, report, folder: {}), "one")


def holder(home: Path, task_id: str) -> subprocess.Popen[bytes]:
    lock = home / "tasks" / f"{task_id}.{LOCK}"
    code = (
        f"from filelock import FileLock; lock = FileLock({str(lock)!r}); lock.acquire(); print(1, flush=True); "
        "import time; time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert child.stdout
    child.stdout.read(1)
    child.stdout.close()
    return child


def test_two_who_ask_share_one_task_and_a_restarted_app_finds_it(slow: Task[Slow]) -> None:
    slow.start(Slow())
    child = task_module._children[slow.id]
    slow.start(Slow())
    assert task_module._children[slow.id] is child
    task_module._children.clear()  # as another process, or this one after a restart, has it
    put(slow.folder / "progress", {"progress": vars(Progress("working", 25, 100, "images")), "seconds": 3.0})
    state = Task(slow.kind, "one").state()
    assert state == TaskState(True, Progress("working", 25, 100, "images"), 9.0)
    slow.start(Slow())
    assert slow.id not in task_module._children
    child.kill()
    child.wait()
    os.utime(slow.folder / REQUEST, (0, 0))
    assert slow.state() == TaskState(error=UNEXPLAINED)


def test_a_killed_task_is_a_sentence_and_may_begin_again(slow: Task[Slow]) -> None:
    for _ in range(2):
        slow.start(Slow())
        assert slow.state() == TaskState(busy=True)
        child = task_module._children[slow.id]
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        assert slow.state() == TaskState(error=UNEXPLAINED)


class Asked(BaseModel):
    fails: bool = False


@pytest.fixture
def ours(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., dict[str, Any]]], Path]:
    """Puts down a task of a kind made of a function, to be run in this process."""

    def make(work: Callable[..., dict[str, Any]], name: str = "ours") -> Path:
        kind = TaskKind(name, Asked, work)
        monkeypatch.setitem(task_kinds._things, name, kind)
        task = Task(kind, name)
        task.folder.mkdir(parents=True)
        put(task.folder / REQUEST, {"kind": name, "values": {}})
        return task.folder

    return make


def test_cancelled_before_it_begins_in_the_middle_and_at_the_end(ours: Callable[..., Path]) -> None:
    cleaned = []

    def work(request: Asked, report: Report, folder: Path) -> dict[str, Any]:
        try:
            report(Progress("working", 0, 1, "things"))
            time.sleep(30)
        finally:
            cleaned.append(True)
        return {"never": 1}

    folder = ours(work)
    (folder / "cancel").touch()
    run_module.run(folder.name)
    assert not folder.exists()
    folder = ours(work)
    threading.Timer(0.3, (folder / "cancel").touch).start()
    run_module.run(folder.name)
    assert not folder.exists()
    assert cleaned

    def quick(request: Asked, report: Report, folder: Path) -> dict[str, Any]:
        return {"done": 1}

    folder = ours(quick)
    run_module.run(folder.name)
    (folder / "cancel").touch()
    assert json.loads((folder / DONE).read_text()) == {"done": 1}
    assert Task(task_kinds.get("ours"), "ours").state() == TaskState(result={"done": 1})


def test_a_fault_of_the_program_is_a_sentence_too(ours: Callable[..., Path]) -> None:
    folder = ours(lambda request, report, folder: {}["no such key"])
    run_module.run(folder.name)
    assert "has a fault here" in json.loads((folder / FAILED).read_text())["message"]
    folder = ours(lambda request, report, folder: (_ for _ in ()).throw(OSError(28, "No space", "x")), "full")
    run_module.run(folder.name)
    assert "The disk is full" in json.loads((folder / FAILED).read_text())["message"]


@pytest.mark.parametrize(
    "text", ["", "null", "[]", '{"kind": "nothing"}', '{"kind": "ours", "values": {"fails": "?"}}']
)
def test_a_damaged_request_is_a_sentence(ours: Callable[..., Path], text: str) -> None:
    folder = ours(lambda request, report, folder: {})
    (folder / REQUEST).write_text(text)
    run_module.run(folder.name)
    assert json.loads((folder / FAILED).read_text())["message"]


def test_more_than_so_many_wait_for_their_turn(ours: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "AT_ONCE", 1)
    folder = ours(lambda request, report, folder: {"done": 1})
    with FileLock(folder.parent / "turn-0.lock"):
        waiting = threading.Thread(target=lambda: run_module._turn(folder.parent).__enter__())
        waiting.start()
        waiting.join(0.4)
        assert waiting.is_alive()
    waiting.join(5)
    assert not waiting.is_alive()


def test_old_tasks_are_removed(home: Path, ours: Callable[..., Path]) -> None:
    folder = ours(lambda request, report, folder: {})
    os.utime(folder / REQUEST, (0, 0))
    preparation_of("digits").start(DIGITS)
    ended(preparation_of("digits"))
    assert not folder.exists()


def test_every_augmentation_is_tried_on_a_run(home: Path) -> None:
    values = starting_recipe("digits", "mlp").model_dump()
    values["training"] |= {"epochs": 2, "threads": 1}
    run_id = store().create(check(Recipe.model_validate(values)), "one", "here")
    execute(run_id, "here", "cpu", threading.Event())
    task = tries_of(run_id, RunFolder(run_id).weights_version())
    task.start(TryRequest(run=run_id))
    state = ended(task)
    assert state
    assert state.result, state.error
    data = open_dataset("digits")
    chosen = sample(data, "validation", None, IMAGES)
    expected = label_safety(
        np.asarray(data.images[chosen]), data.labels[chosen], 10, Classifier.open(run_id).classify,
        at_strengths(kinds_to_try(1), data.shape[1]),
    )  # fmt: skip
    assert np.allclose(result_of(task).changed, expected.changed, equal_nan=True)
    assert tries_of(run_id, "another version").state() is None
