"""What PostgreSQL is stricter about than SQLite, on both: text, numbers, locks and connections."""

import math
import threading
import time
from collections.abc import Callable

import pytest
from sqlalchemy import NullPool, create_engine, text

from cnn_core.errors import UnknownNameError
from cnn_core.recipe import Recipe
from cnn_core.runs import worker_store as worker_store_module
from cnn_core.runs.events import Ended, Finished, Preparing, Report, Started
from cnn_core.runs.store import RunStore
from cnn_core.runs.tables import Worker
from cnn_core.runs.worker_store import LostRunError

STARTED = Started(step=0, steps=10, device="CPU", precision="float32", dataset_hash="x")
REPORT = Report(
    step=1,
    epoch=0.1,
    loss=1.0,
    train_accuracy=0.5,
    learning_rate=0.1,
    images_per_second=1.0,
    seconds=1.0,
)


@pytest.mark.parametrize("strange", ["a\0b", "a\ud800b", "caf\udce9.png"])
def test_text_that_no_database_takes_is_kept_readable(runs: RunStore, strange: str) -> None:
    """NUL, and half a surrogate pair: what Python makes of a file name that is not UTF-8."""
    readable = "".join(c if c.isprintable() else "\ufffd" for c in strange if c != "\0")
    run_id = runs.create(Recipe(), "one", worker="w")
    runs.record(run_id, "w", Preparing(progress_text=strange), Ended(status="failed", message=strange))
    runs.describe(run_id, note=strange)
    run = runs.get(run_id)
    assert run.message == run.note == readable
    with pytest.raises(UnknownNameError):
        runs.get(strange)
    assert runs.runs_on(strange) == []
    runs.delete(strange)
    assert len(runs.runs()) == 1


def test_a_result_that_is_not_a_number_is_none(runs: RunStore) -> None:
    run_id = runs.create(Recipe(), "one", worker="w")
    runs.record(run_id, "w", Finished(test_accuracy=math.nan, test_loss=math.inf, quantities={"macro_f1": math.nan}))
    run = runs.get(run_id)
    assert (run.test_accuracy, run.test_loss, run.quantities) == (None, math.inf, {"macro_f1": None})


@pytest.mark.parametrize("loss", [1e-310, 0.1 + 0.2, math.inf])
def test_a_number_comes_back_bit_for_bit(runs: RunStore, loss: float) -> None:
    run_id = runs.create(Recipe(), "one", worker="w")
    runs.record(run_id, "w", Finished(test_accuracy=1 / 3, test_loss=loss))
    assert (runs.get(run_id).test_accuracy, runs.get(run_id).test_loss) == (1 / 3, loss)


def test_a_run_that_another_worker_has_keeps_its_commands(runs: RunStore) -> None:
    run_id = runs.create(Recipe(), "one", worker="w")
    runs.send(run_id, "pause")
    assert not runs.take(run_id, "other")
    assert [command.verb for command in runs.commands(run_id)] == ["pause"]


@pytest.mark.parametrize("runs", ["postgresql"], indirect=True)  # SQLite has one lock for all
def test_requests_at_once_do_not_wait_for_each_other_for_ever(runs: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL ends one of two transactions that each hold what the other needs: any error here is such a one.
    With rows locked in any order, two seconds showed 9 errors, and 10 in a second try."""
    monkeypatch.setattr(worker_store_module, "SILENT_SECONDS", 0.0)
    ids = [runs.create(Recipe(), f"run {number}") for number in range(3)]
    errors: list[Exception] = []
    end = time.monotonic() + 2

    def each(ask: Callable[[str], object]) -> Callable[[], None]:
        return lambda: [ask(run_id) for run_id in ids] and None

    def come_and_go() -> None:
        run_id = runs.create(Recipe(), "short", worker="w")
        runs.send(run_id, "stop")
        runs.record(run_id, "w", STARTED, REPORT)
        runs.delete(run_id)

    def again(ask: Callable[[], object]) -> None:
        while time.monotonic() < end:
            try:
                ask()
            except LostRunError:
                continue
            except Exception as error:
                errors.append(error)

    asked: list[Callable[[], object]] = [
        lambda: runs.beat(Worker(id="w", slot=0, pid=1, device="cpu", ready=True, run_id=None)),
        runs.reap,
        lambda: runs.leave("w"),
        lambda: runs.claim("w"),
        come_and_go,
        each(lambda run_id: runs.take(run_id, "w")),
        each(lambda run_id: runs.send(run_id, "pause")),
        each(runs.requeue),
        each(runs.commands),
        each(lambda run_id: runs.record(run_id, "w", STARTED, REPORT, Ended(status="paused"))),
    ]
    threads = [threading.Thread(target=again, args=(ask,)) for ask in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


@pytest.mark.parametrize("runs", ["postgresql"], indirect=True)
def test_a_lost_connection_is_made_again(runs: RunStore) -> None:
    """As when the server is started again between two requests."""
    run_id = runs.create(Recipe(), "one", worker="w")
    others = "from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()"
    server = create_engine(runs._engine.url, poolclass=NullPool)
    with server.begin() as connection:
        assert connection.scalar(text(f"select count(pg_terminate_backend(pid)) {others}"))
    runs.record(run_id, "w", STARTED)
    assert runs.get(run_id).status == "running"
