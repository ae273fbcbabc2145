"""Background work in real processes: shared, cancelled, killed, in turn, and found again after a restart."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from filelock import FileLock

from cnn_core.data.catalogue.library import is_ready, open_dataset
from cnn_core.data.explore.statistics import sample
from cnn_core.errors import PlaygroundError
from cnn_core.evaluation.label_safety import at_strengths, kinds_to_try, label_safety
from cnn_core.inference import Classifier
from cnn_core.jobs.execute import execute
from cnn_core.jobs.tasks import task as task_module
from cnn_core.jobs.tasks.attempt import END, KEPT_SECONDS, TASK, Asked, Attempt, attempt_at, new_attempt
from cnn_core.jobs.tasks.prepare_dataset import PrepareRequest, preparation_of
from cnn_core.jobs.tasks.task import UNEXPLAINED, Task, TaskState
from cnn_core.jobs.tasks.try_augmentations import IMAGES, RESULT, TryRequest, read_result, tries_of
from cnn_core.jobs.tasks.turns import AT_ONCE
from cnn_core.planning.recipe import check, starting_recipe
from cnn_core.recipe import Recipe
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store

ROOT = Path(__file__).parents[2]
DIGITS = PrepareRequest(dataset="digits")


@pytest.fixture
def task(home: Path) -> Iterator[Task[PrepareRequest]]:
    """The preparation of the digits; no process of it outlives the test."""
    yield preparation_of("digits")
    for child in processes():
        child.kill()


def processes(task: Task[Any] | None = None) -> list[psutil.Process]:
    """The processes of a task, or of all tasks, that this process started."""
    name = task.id if task else "cnn_core.jobs.tasks.run"
    return [child for child in psutil.Process().children() if child.is_running() and name in " ".join(cmdline(child))]


def cmdline(child: psutil.Process) -> list[str]:
    try:
        return child.cmdline()
    except psutil.Error:  # it has ended
        return []


@contextmanager
def held_up(home: Path) -> Iterator[None]:
    """Whoever prepares the digits waits: another process is at it."""
    (home / "datasets").mkdir(parents=True, exist_ok=True)
    with FileLock(home / "datasets" / "digits.lock"):
        yield


@contextmanager
def no_turn(home: Path) -> Iterator[None]:
    """All the places of tasks at work are taken."""
    (home / "tasks").mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        for number in range(AT_ONCE):
            stack.enter_context(FileLock(home / "tasks" / f"turn-{number}.lock"))
        yield


def wait_for(what: Callable[[], object], seconds: float = 30.0) -> None:
    limit = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < limit, "waited too long"
        time.sleep(0.01)


def ended(task: Task[Any]) -> TaskState:
    wait_for(lambda: (state := task.state()) and not state.busy)
    state = task.state()
    assert state
    return state


def attempt_of(task: Task[Any]) -> Attempt:
    attempt = attempt_at(task.id)
    assert attempt
    return attempt


def pid_of(task: Task[Any], working: bool = True) -> int:
    """Process id of a task, once it runs, or once it is its turn."""
    wait_for(lambda: (process := attempt_of(task).process()) and process.working >= working)
    process = attempt_of(task).process()
    assert process
    return process.pid


def test_a_data_set_is_prepared(task: Task[PrepareRequest]) -> None:
    assert task.state() is None
    task.start(DIGITS)
    assert ended(task) == TaskState(result={"images": 1797})
    assert is_ready("digits")
    first = attempt_of(task)
    task.start(DIGITS)  # it has ended: anew
    assert ended(task).result
    assert not first.folder.exists()


def test_what_goes_wrong_is_a_sentence_and_may_be_tried_again(home: Path) -> None:
    task = preparation_of("nowhere")
    for _ in range(2):
        task.start(PrepareRequest(dataset="nowhere"))
        assert "There is no data set called 'nowhere'" in ended(task).error


def test_many_who_ask_at_once_share_one_process(task: Task[PrepareRequest], home: Path) -> None:
    with held_up(home):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: preparation_of("digits").start(DIGITS), range(8)))
        pid = pid_of(task)
        assert [child.pid for child in processes(task)] == [pid]
        assert task.state() == TaskState(busy=True)
    assert ended(task).result


STARTED_ELSEWHERE = """
import os
from cnn_core.jobs.tasks.prepare_dataset import PrepareRequest, preparation_of
preparation_of("digits").start(PrepareRequest(dataset="digits"))
os._exit(9)
"""


@pytest.mark.parametrize("killed", [False, True])
def test_a_task_outlives_the_app_that_started_it(task: Task[PrepareRequest], home: Path, killed: bool) -> None:
    with held_up(home):
        subprocess.run([sys.executable, "-c", STARTED_ELSEWHERE], cwd=ROOT)
        assert task.state() == TaskState(busy=True)
        pid = pid_of(task)
        first = attempt_of(task)
        task.start(DIGITS)
        assert attempt_of(task) == first
        if killed:
            os.kill(pid, signal.SIGKILL)
            assert ended(task) == TaskState(error=UNEXPLAINED)
            return
    assert ended(task).result


@pytest.mark.parametrize("stage", ["starting", "waiting", "working"])
@pytest.mark.parametrize("way", ["killed", "cancelled"])
def test_it_may_end_at_every_stage_and_begin_again(
    task: Task[PrepareRequest], home: Path, stage: str, way: str
) -> None:
    with held_up(home):
        with ExitStack() as stack:
            if stage == "waiting":
                stack.enter_context(no_turn(home))
            task.start(DIGITS)
            if stage != "starting":
                pid_of(task, working=stage == "working")
            if way == "cancelled":
                task.cancel()
                task.cancel()
                assert (state := task.state())
                assert state.cancelled
            else:
                wait_for(lambda: processes(task))
                processes(task)[0].kill()
        assert ended(task) == (TaskState(cancelled=True) if way == "cancelled" else TaskState(error=UNEXPLAINED))
        task.cancel()  # at its end: nothing
        task.start(DIGITS)
        assert task.state() == TaskState(busy=True)


def test_a_task_that_is_done_cannot_be_cancelled(task: Task[PrepareRequest]) -> None:
    task.start(DIGITS)
    done = ended(task)
    task.cancel()
    assert task.state() == done
    assert done.result


HANGS = """
import sys, time
from pydantic import BaseModel
from cnn_core.jobs.tasks import run
from cnn_core.jobs.tasks.kind import TaskKind, register

class Nothing(BaseModel):
    pass

def work(request, report, folder):
    while True:
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            pass

register(TaskKind("hangs", Nothing, work))
run.CANCEL_SECONDS = 0.2
run.main()
"""


def test_work_that_hangs_is_ended_after_a_while(task: Task[PrepareRequest]) -> None:
    attempt = new_attempt(task.id, "hangs", {})
    process = subprocess.Popen([sys.executable, "-c", HANGS, task.id, attempt.asked.attempt], cwd=ROOT)
    pid_of(task)
    task.cancel()
    assert process.wait(10) == 1
    assert ended(task) == TaskState(cancelled=True)


def test_tasks_take_turns_in_the_order_they_were_asked_for(task: Task[PrepareRequest], home: Path) -> None:
    tasks = [preparation_of("digits", size) for size in (8, 16, 24)]
    with no_turn(home):
        for each, size in zip(tasks, (8, 16, 24), strict=True):
            each.start(PrepareRequest(dataset="digits", image_size=size))
            pid_of(each, working=False)
        assert [each.state() for each in tasks] == [TaskState(True, ahead=number) for number in range(3)]
        tasks[1].cancel()
        assert ended(tasks[1]).cancelled
        assert tasks[2].state() == TaskState(True, ahead=1)
    assert ended(tasks[0]).result
    assert ended(tasks[2]).result


def test_not_more_than_so_many_wait(task: Task[PrepareRequest], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_module, "MOST_WAITING", 1)
    other = preparation_of("digits", 16)
    with no_turn(home):
        task.start(DIGITS)
        with pytest.raises(PlaygroundError, match="waiting already"):
            other.start(PrepareRequest(dataset="digits", image_size=16))
        task.start(DIGITS)  # asks for nothing more
        assert other.state() is None


@pytest.mark.parametrize("kind", ["nothing", "prepare"])
def test_a_request_that_does_not_fit_is_a_sentence(task: Task[PrepareRequest], kind: str) -> None:
    attempt = new_attempt(task.id, kind, {"dataset": ["?"]})
    subprocess.run([sys.executable, "-m", "cnn_core.jobs.tasks.run", task.id, attempt.asked.attempt], cwd=ROOT)
    assert ended(task).error.endswith(".")


@pytest.mark.parametrize("text", ["", "null", "[]", '{"kind": "prepare"}', '{"attempt": "../../etc"}'])
def test_damaged_files_are_as_if_nobody_had_asked(task: Task[PrepareRequest], text: str) -> None:
    attempt = new_attempt(task.id, "prepare", {})
    (attempt.folder.parent / TASK).write_text(text)
    assert task.state() is None
    task.start(DIGITS)
    assert ended(task).result


def test_an_end_that_cannot_be_written_is_a_sentence(task: Task[PrepareRequest], home: Path) -> None:
    with held_up(home):
        task.start(DIGITS)
        pid_of(task)
        (attempt_of(task).folder / END).mkdir()  # nothing takes the place of a folder
    assert ended(task) == TaskState(error=UNEXPLAINED)


def test_old_tasks_are_removed_unless_they_work(task: Task[PrepareRequest], home: Path) -> None:
    old = preparation_of("digits", 16)
    old.start(PrepareRequest(dataset="digits", image_size=16))
    assert ended(old).result
    with held_up(home):
        task.start(DIGITS)
        pid_of(task)
        for each in (old, task):
            asked = attempt_of(each).asked
            then = asked.model_copy(update={"asked": time.time() - KEPT_SECONDS - 1})
            (attempt_of(each).folder.parent / TASK).write_text(Asked.model_dump_json(then))
        preparation_of("digits", 24).start(PrepareRequest(dataset="digits", image_size=24))
        assert old.state() is None
        with pytest.raises(PlaygroundError, match="no longer kept"):
            old.file(RESULT)
        assert task.state() == TaskState(busy=True)


def test_every_augmentation_is_tried_on_a_run(home: Path) -> None:
    values = starting_recipe("digits", "mlp").model_dump()
    values["training"] |= {"epochs": 2, "threads": 1}
    run_id = store().create(check(Recipe.model_validate(values)), "one", "here")
    execute(run_id, "here", "cpu", threading.Event())
    task = tries_of(run_id, RunFolder(run_id).weights_version())
    task.start(TryRequest(run=run_id))
    state = ended(task)
    assert state.result, state.error
    data = open_dataset("digits")
    chosen = sample(data, "validation", None, IMAGES)
    expected = label_safety(
        np.asarray(data.images[chosen]),
        data.labels[chosen],
        10,
        Classifier.open(run_id).classify,
        at_strengths(kinds_to_try(1), data.shape[1]),
    )
    assert np.allclose(read_result(task.file(RESULT)).changed, expected.changed, equal_nan=True)
    assert tries_of(run_id, "another version").state() is None
