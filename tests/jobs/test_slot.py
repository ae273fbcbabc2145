"""The watch over worker processes: replaced by their own name, more slowly when they die at once, never a zombie."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from cnn_core.jobs import processes
from cnn_core.jobs.executors import local_pool as pool_module
from cnn_core.jobs.executors import slot as slot_module
from cnn_core.jobs.executors.local_pool import LocalPool, trouble
from cnn_core.jobs.executors.slot import LONGEST_PAUSE, PROVEN_SECONDS, Slot
from cnn_core.jobs.processes import spawn
from cnn_core.jobs.tasks.prepare_dataset import PrepareRequest, preparation_of
from cnn_core.recipe import Recipe
from cnn_core.runs.store import RunStore, store
from cnn_core.runs.tables import Worker

WAITS, DIES = "import sys; sys.stdin.read()", "print('no torch here')"


def wait_for(what: Callable[[], object], seconds: float = 30.0) -> None:
    limit = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < limit, "waited too long"
        time.sleep(0.01)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Workers:
    """Real child processes that run a line of Python instead of a worker."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.started: list[tuple[str, subprocess.Popen[bytes]]] = []

    def __call__(self, slot: int, device: str, worker_id: str, log: str) -> subprocess.Popen[bytes]:
        child = subprocess.Popen([sys.executable, "-S", "-c", self.code], stdin=subprocess.PIPE)
        threading.Thread(target=processes._bury, args=(child, lambda: None)).start()
        self.started.append((worker_id, child))
        return child


@pytest.fixture
def workers(home: Path, monkeypatch: pytest.MonkeyPatch) -> Workers:
    workers = Workers(WAITS)
    monkeypatch.setattr(slot_module, "spawn_worker", workers)
    monkeypatch.setattr(pool_module, "WATCH_SECONDS", 0.02)
    return workers


def look_at_ended(slot: Slot, workers: Workers) -> None:
    """One look, after the process that was started last has ended."""
    workers.started[-1][1].wait()
    slot.look()


def test_a_worker_that_dies_at_once_is_started_ever_more_slowly(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, workers.code = Clock(), DIES
    monkeypatch.setattr(slot_module, "time", clock)
    slot = Slot(0, "cpu")
    slot.start()
    starts = [clock.now]
    while len(starts) < 9:
        look_at_ended(slot, workers)
        if len(workers.started) > len(starts):
            starts.append(clock.now)
            assert bool(slot.trouble) == (len(starts) > slot_module.TROUBLE)
        clock.now += 1.0
    pauses = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert pauses == pytest.approx([0, 2, 4, 8, 16, 32, LONGEST_PAUSE, LONGEST_PAUSE], abs=2)
    assert "worker-0.log" in slot.trouble


def test_a_worker_that_lived_a_while_is_replaced_at_once(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, workers.code = Clock(), DIES
    monkeypatch.setattr(slot_module, "time", clock)
    slot = Slot(0, "cpu")
    slot.start()
    for _ in range(200):
        clock.now += 1.0
        look_at_ended(slot, workers)
    assert slot.trouble
    workers.code = WAITS
    wait_for(lambda: _advance(clock) or slot.look() or workers.started[-1][1].poll() is None)
    clock.now += PROVEN_SECONDS
    assert slot.trouble == ""
    workers.started[-1][1].kill()
    count = len(workers.started)
    look_at_ended(slot, workers)
    assert len(workers.started) == count + 1
    slot.close()
    slot.wait()


def _advance(clock: Clock) -> None:
    clock.now += 1.0


def test_the_watch_survives_anything_and_pages_learn_of_it(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: RunStore) -> None:
        raise ValueError("no error of the database")

    monkeypatch.setattr(RunStore, "reap", fails)
    pool = LocalPool(["cpu"])
    try:
        time.sleep(0.2)
        first = pool.pids[0]
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: pool.pids[0] not in (0, first))
        assert trouble() == ""
        pool._slots[0]._failures = slot_module.TROUBLE
        assert "does not start" in trouble()
    finally:
        pool.close()
    assert trouble() == ""


def test_a_worker_is_known_by_its_name_not_by_its_process_id(workers: Workers) -> None:
    """Another computer's worker has the same process id."""
    pool = LocalPool(["cpu"])
    try:
        pid, (ours, _) = pool.pids[0], workers.started[0]
        held = {name: store().create(Recipe(), name, worker=name) for name in (ours, "elsewhere:1")}
        for name, run_id in held.items():
            store().beat(Worker(id=name, slot=0, pid=pid, device="cpu", ready=True, run_id=run_id))
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: store().get(held[ours]).status == "interrupted")
        assert store().get(held["elsewhere:1"]).status == "starting"
        assert [worker.id for worker in store().workers()] == ["elsewhere:1"]
    finally:
        pool.close()


def children() -> set[int]:
    """Process ids of our children, those included that have ended and for whose exit status nobody asked: zombies."""
    return {child.pid for child in psutil.Process().children()}


def test_no_child_stays_as_a_zombie(home: Path) -> None:
    """Nobody asks for these processes again: not a page, not a test."""
    before = children()
    ours = {spawn("cnn_core.nowhere", log="nothing").pid for _ in range(3)}
    preparation_of("digits").start(PrepareRequest(dataset="digits"))
    ours |= children() - before
    assert len(ours) == 4
    wait_for(lambda: not ours & children())
