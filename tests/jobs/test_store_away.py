"""The store out of reach while a run trains: nothing is lost, nothing fails."""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from cnn_core.jobs import execute as execute_module
from cnn_core.jobs import outbox as outbox_module
from cnn_core.jobs.execute import execute
from cnn_core.jobs.heartbeat import Heartbeat
from cnn_core.jobs.outbox import Outbox
from cnn_core.jobs.unsent import NAME
from cnn_core.planning.recipe import check, starting_recipe
from cnn_core.recipe import Recipe
from cnn_core.runs.events import Ended, EpochEnd, Event, RateChanged, Report, Started
from cnn_core.runs.folder import RESUME, RunFolder
from cnn_core.runs.store import RunStore, store
from cnn_core.runs.tables import Worker
from cnn_core.runs.worker_store import LostRunError
from cnn_core.training.session import TrainingSession

STARTED = Started(step=0, steps=10, device="CPU", precision="float32", dataset_hash="x")


def report(step: int) -> Report:
    return Report(
        step=step,
        epoch=step / 5,
        loss=1.0 / step,
        train_accuracy=0.5,
        learning_rate=0.1,
        images_per_second=9.0,
        seconds=float(step),
    )


def epoch_end(step: int) -> EpochEnd:
    return EpochEnd(
        step=step,
        epoch=step / 5,
        loss=0.3,
        validation_accuracy=0.8,
        learning_rate=0.1,
        images_per_second=9.0,
        seconds=6.0,
        best_epoch=1,
        best_validation_loss=0.3,
    )


def rate_changed(step: int) -> RateChanged:
    return RateChanged(step=step, epoch=step / 5, old_rate=0.1, learning_rate=0.2)


def recipe(epochs: int) -> Recipe:
    values = starting_recipe("digits", "mlp").model_dump()
    values["training"] |= {"epochs": epochs, "batch_size": 128}
    return check(Recipe.model_validate(values))


def wait_for(what: Callable[[], object], seconds: float = 30.0) -> None:
    limit = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < limit, "waited too long"
        time.sleep(0.01)


@pytest.fixture
def runs(home: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """A store that gives up on a lock after 50 ms, and an outbox that is as hurried."""
    monkeypatch.setattr(outbox_module, "PATIENCE", 0.2)
    monkeypatch.setattr(outbox_module, "RETRY_SECONDS", 0.05)
    runs = store()
    event.listen(runs._engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=50"))
    runs._engine.dispose()
    return runs


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Another connection holds SQLite's write lock."""
    other = sqlite3.connect(home / "playground.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def points(run_id: str) -> list[tuple[str, int]]:
    return [(point.kind, point.step) for point in store().metrics(run_id)]


@pytest.fixture
def held(runs: RunStore) -> str:
    run_id = runs.create(Recipe(), "held", worker="w")
    runs.record(run_id, "w", STARTED)
    return run_id


def test_the_lock_of_these_tests_is_a_real_one(runs: RunStore, held: str, home: Path) -> None:
    with locked(home), pytest.raises(OperationalError, match="database is locked"):
        runs.record(held, "w", report(1))


def test_events_wait_in_order_while_the_store_is_locked(runs: RunStore, held: str, home: Path) -> None:
    with Outbox(held, "w", threading.Event()) as outbox:
        outbox.post(report(1))
        with locked(home):
            began = time.monotonic()
            for event_of_run in (report(2), report(4), epoch_end(5), report(6)):
                outbox.post(event_of_run)
                assert outbox.commands() == []
            assert time.monotonic() - began < 5  # one patience of 0.2 s, not four
            assert outbox.away_seconds > 0
            assert points(held) == [("train", 1)]
            assert len((RunFolder(held).files.folder / NAME).read_text().splitlines()) == 4
        wait_for(lambda: outbox.away_seconds == 0)
        outbox.post(report(7))
    assert outbox.delivered
    expected = [("train", 1), ("train", 2), ("train", 4), ("validation", 5), ("train", 6), ("train", 7)]
    assert points(held) == expected
    assert not (RunFolder(held).files.folder / NAME).exists()


def test_a_command_left_during_an_outage_is_asked_for_again(runs: RunStore, held: str, home: Path) -> None:
    runs.send(held, "pause")
    with Outbox(held, "w", threading.Event()) as outbox:
        with locked(home):
            outbox.post(report(1))
            assert outbox.commands() == []
        wait_for(lambda: outbox.away_seconds == 0)
        verbs: list[str] = []
        wait_for(lambda: verbs.extend(command.verb for command in outbox.commands()) or verbs)
        assert verbs == ["pause"]


def test_a_run_goes_on_through_an_outage_and_has_every_point(
    runs: RunStore, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnn_core.training.session.REPORT_SECONDS", 0.0)
    whole = runs.create(recipe(3), "whole", worker="w")
    execute(whole, "w", "cpu", threading.Event())
    shaken = runs.create(recipe(3), "shaken", worker="w")
    locks, seen = locked(home), []

    def watch(event_of_run: Event) -> None:
        seen.append(event_of_run)
        ends = sum(isinstance(known, EpochEnd) for known in seen)
        if isinstance(event_of_run, EpochEnd) and ends == 1:
            locks.__enter__()
        if isinstance(event_of_run, EpochEnd) and ends == 2:
            assert sum(kind == "validation" for kind, _ in points(shaken)) == 1
            locks.__exit__(None, None, None)

    execute(shaken, "w", "cpu", threading.Event(), watch)
    run, other = runs.get(shaken), runs.get(whole)
    assert (run.status, run.message, run.test_loss) == ("finished", "", other.test_loss)
    assert points(shaken) == points(whole)


def test_a_run_given_up_during_an_outage_is_taken_back(runs: RunStore, held: str) -> None:
    runs.leave("w")  # somebody took the worker for dead
    assert runs.get(held).status == "interrupted"
    with Outbox(held, "w", threading.Event()) as outbox:
        outbox.post(report(1))
    run = runs.get(held)
    assert (run.status, run.message, run.step) == ("running", "", 1)


@pytest.mark.parametrize("what", ["taken", "taken and interrupted", "stopped", "deleted"])
def test_a_run_that_went_elsewhere_is_lost(runs: RunStore, held: str, what: str) -> None:
    runs.leave("w")
    if what == "deleted":
        runs.delete(held)
    elif what == "stopped":
        runs.move(held, ("interrupted",), "stopped")
    else:
        assert runs.take(held, "another")
        if what != "taken":
            runs.leave("another")
    with Outbox(held, "w", threading.Event()) as outbox, pytest.raises(LostRunError):
        outbox.post(report(1))


def test_points_of_a_worker_killed_during_an_outage_are_delivered_by_the_next(
    runs: RunStore, held: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "GRACE", 0.0)
    killed = threading.Event()
    with locked(home), Outbox(held, "w", killed) as outbox:
        for event_of_run in (report(1), rate_changed(2), report(2), epoch_end(5), rate_changed(5), report(6)):
            outbox.post(event_of_run)
        monkeypatch.setattr(outbox, "_exchange", lambda *_: time.sleep(60))  # as good as dead
        time.sleep(0.2)
        killed.set()
    path = RunFolder(held).files.folder / NAME
    path.write_text(path.read_text() + '{"kind": "Report", "st')  # killed in the middle of a line
    runs.record(held, "w", report(1), rate_changed(2))  # they got through, only the answer did not
    runs.leave("w")
    assert runs.take(held, "next")
    with Outbox(held, "next", threading.Event()) as outbox:
        outbox.post(Started(step=5, steps=10, device="CPU", precision="float32", dataset_hash="x"))
    assert points(held) == [("train", 1), ("train", 2), ("validation", 5)]
    assert [change.step for change in runs.changes(held)] == [2, 5]
    assert not path.exists()


def test_a_store_that_stays_away_interrupts_the_run_once_it_is_back(
    runs: RunStore, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execute_module, "AWAY_SECONDS", 0.3)
    run_id = runs.create(recipe(400), "long", worker="w")
    locks, ended = locked(home), threading.Event()

    def watch(event_of_run: Event) -> None:
        if isinstance(event_of_run, Started):
            locks.__enter__()
        if isinstance(event_of_run, Ended):
            ended.set()

    training = threading.Thread(target=execute, args=(run_id, "w", "cpu", threading.Event(), watch))
    training.start()
    assert ended.wait(60)
    assert runs.get(run_id).status == "running"
    locks.__exit__(None, None, None)
    training.join(60)
    run = runs.get(run_id)
    assert (run.status, run.resumable) == ("interrupted", True)
    assert "could not be reached" in run.message
    assert RunFolder(run_id).has(RESUME)
    assert run.step == points(run_id)[-1][1] > 0


def test_a_heartbeat_survives_anything(runs: RunStore, held: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnn_core.jobs.heartbeat.BEAT_SECONDS", 0.01)
    beats, beat = [], RunStore.beat

    def failing(self: RunStore, worker: Worker) -> None:
        beats.append(worker.id)
        if len(beats) < 4:
            raise ValueError("no error of the database")
        beat(self, worker)

    monkeypatch.setattr(RunStore, "beat", failing)
    with Heartbeat(Worker(id="w", slot=0, pid=1, device="cpu", ready=True, run_id=held)):
        wait_for(lambda: [worker.id for worker in runs.workers()] == ["w"])
    assert runs.get(held).status == "interrupted"


ERRORS = [
    (OSError(28, "No space left on device"), "No space left on device"),
    (RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 704 vs 598"), "Make room"),  # torch.save
    (MemoryError(), "not enough memory"),
    (RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB"), "not enough memory"),
    (
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory"),
        "not enough memory",
    ),
]


@pytest.mark.parametrize(("error", "part"), ERRORS)
def test_a_full_disk_or_memory_interrupts_and_a_resume_finishes(
    runs: RunStore, monkeypatch: pytest.MonkeyPatch, error: Exception, part: str
) -> None:
    """The second save fails: after an epoch that is safe on disk."""
    save, saves = TrainingSession.save, []

    def failing(self: TrainingSession) -> None:
        saves.append(self.step)
        if len(saves) == 2:
            raise error
        save(self)

    monkeypatch.setattr(TrainingSession, "save", failing)
    run_id = runs.create(recipe(3), "unlucky", worker="w")
    execute(run_id, "w", "cpu", threading.Event())
    run = runs.get(run_id)
    assert run.status == "interrupted"
    assert part in run.message
    assert run.was_too_large == (part == "not enough memory")
    assert runs.take(run_id, "w")
    execute(run_id, "w", "cpu", threading.Event())
    assert runs.get(run_id).status == "finished", runs.get(run_id).message
    assert [step for kind, step in points(run_id) if kind == "validation"] == [saves[0] * n for n in (1, 2, 3)]


def test_an_error_of_ours_still_fails(runs: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: TrainingSession) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(TrainingSession, "save", broken)
    run_id = runs.create(recipe(1), "unlucky", worker="w")
    execute(run_id, "w", "cpu", threading.Event())
    assert runs.get(run_id).status == "failed"


def test_a_line_that_the_store_never_takes_does_not_stop_the_run(home: Path) -> None:
    run_id = store().create(recipe(1), "test", "here")
    path = RunFolder(run_id).files.folder / "unsent.jsonl"
    path.parent.mkdir(parents=True)
    report = {"kind": "Report", "step": None, "epoch": 0.1, "loss": 1.0, "train_accuracy": 0.5}
    path.write_text(json.dumps(report | {"learning_rate": 0.1, "images_per_second": 1.0, "seconds": 1.0}) + "\n")
    execute(run_id, "here", "cpu", threading.Event())
    assert store().get(run_id).status == "finished"
    assert not path.exists()
