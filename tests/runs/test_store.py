"""The run store: what pages and workers agree on."""

import math
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, literal, text

from cnn_core.errors import PlaygroundError, UnknownNameError
from cnn_core.recipe import Recipe
from cnn_core.runs import engine as engine_module
from cnn_core.runs import worker_store as worker_store_module
from cnn_core.runs.events import Ended, EpochEnd, Finished, Preparing, RateChanged, Report, Started
from cnn_core.runs.store import RunStore, store
from cnn_core.runs.tables import Worker
from cnn_core.runs.worker_id import new_worker_id
from cnn_core.runs.worker_store import LostRunError

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


@pytest.fixture
def held(runs: RunStore) -> str:
    """A run that worker "w" has started."""
    run_id = runs.create(Recipe(), "held", worker="w")
    runs.record(run_id, "w", STARTED)
    return run_id


def test_a_run_comes_back_as_it_was_made(runs: RunStore) -> None:
    recipe = Recipe(seed=5)
    run = runs.get(runs.create(recipe, "  my\nfirst \x00 run "))
    assert run.recipe == recipe
    assert (run.name, run.status, run.position, run.live) == ("my first run", "queued", 1, True)


@pytest.mark.parametrize("clock", ["as it is", "standing still"])
def test_the_queue_is_first_come_first_served(runs: RunStore, monkeypatch: pytest.MonkeyPatch, clock: str) -> None:
    if clock == "standing still":  # as it does for runs made within a millisecond
        monkeypatch.setattr("cnn_core.runs.store.unix_now", lambda: literal(1000.0))
    ids = [runs.create(Recipe(), f"run {number}") for number in range(3)]
    assert [runs.get(run_id).position for run_id in ids] == [1, 2, 3]
    assert [run.position for run in runs.runs()] == [3, 2, 1]
    assert [runs.claim("w") for _ in range(4)] == [*ids, None]
    assert runs.get(ids[0]).status == "starting"


def test_two_workers_never_get_the_same_run(runs: RunStore, home: Path) -> None:
    ids = {runs.create(Recipe(), f"run {number}") for number in range(30)}
    code = (
        "import sys; from cnn_core.runs.store import store\nwhile run_id := store().claim(sys.argv[1]): print(run_id)"
    )
    workers = [
        subprocess.Popen([sys.executable, "-c", code, name], stdout=subprocess.PIPE, text=True) for name in ("a", "b")
    ]
    taken = [line for worker in workers for line in worker.communicate()[0].split()]
    assert len(taken) == 30
    assert set(taken) == ids


def test_events_change_the_run_and_draw_its_curves(runs: RunStore, held: str) -> None:
    for step in range(1, 6):
        runs.record(held, "w", report(step))
    end = EpochEnd(
        step=5,
        epoch=1.0,
        loss=0.3,
        validation_accuracy=0.8,
        learning_rate=0.1,
        images_per_second=9.0,
        seconds=6.0,
        best_epoch=1,
        best_validation_loss=0.3,
    )
    runs.record(held, "w", end)
    run = runs.get(held)
    assert (run.status, run.step, run.steps, run.train_accuracy, run.best_epoch) == ("running", 5, 10, 0.5, 1)
    assert run.remaining == pytest.approx(6.0)
    points = runs.metrics(held)
    assert [(point.kind, point.step, point.accuracy) for point in points] == [
        *(("train", step, 0.5) for step in range(1, 6)),
        ("validation", 5, 0.8),
    ]
    new = runs.new_metrics(held, after=points[3].id, count=4)
    assert [point.id for point in new or ()] == [points[4].id, points[5].id]


def test_the_last_event_lets_go_of_the_run(runs: RunStore, held: str) -> None:
    runs.record(held, "w", Finished(test_accuracy=0.9, test_loss=0.2))
    run = runs.get(held)
    assert (run.status, run.test_accuracy, run.live) == ("finished", 0.9, False)
    assert run.finished
    with pytest.raises(LostRunError):
        runs.record(held, "w", report(1))


def test_a_resumed_run_forgets_the_points_after_its_checkpoint(runs: RunStore, held: str) -> None:
    for step in (1, 2, 3, 4):
        runs.record(held, "w", report(step))
    runs.record(held, "w", Ended(status="interrupted"))
    assert runs.take(held, "w2")
    runs.record(held, "w2", Started(step=2, steps=10, device="CPU", precision="float32", dataset_hash="x"))
    assert [point.step for point in runs.metrics(held)] == [1, 2]


def test_ids_of_points_grow_even_when_the_last_ones_are_deleted(runs: RunStore, held: str) -> None:
    for step in (1, 2, 3):
        runs.record(held, "w", report(step))
    last = runs.metrics(held)[-1].id
    runs.record(held, "w", Started(step=0, steps=10, device="CPU", precision="float32", dataset_hash="x"))
    runs.record(held, "w", report(3))
    (again,) = runs.metrics(held)
    assert again.id > last
    runs.delete(held)
    other = runs.create(Recipe(), "other", worker="w")
    runs.record(other, "w", report(1))
    assert runs.metrics(other)[0].id > again.id


@pytest.mark.parametrize("resumed_at", [0, 1, 3, 5])
@pytest.mark.parametrize("polls", [(), (1,), (3, 6), (1, 2, 3, 4, 5, 6, 7)])
def test_a_reader_that_polls_has_exactly_what_the_store_has(
    runs: RunStore, held: str, resumed_at: int, polls: tuple[int, ...]
) -> None:
    """A run is resumed at each place, and its reader looks at any of seven moments and at the end."""
    known: list[tuple[int, int]] = []

    def poll() -> None:
        new = runs.new_metrics(held, known[-1][0] if known else 0, len(known))
        if new is None:
            known.clear()
            new = runs.metrics(held)
        known.extend((point.id, point.step) for point in new)

    again = Started(step=resumed_at, steps=10, device="CPU", precision="float32", dataset_hash="x")
    for moment, event in enumerate([report(2), report(4), report(5), again, report(5), report(6), report(8)], start=1):
        runs.record(held, "w", event)
        if moment in polls:
            poll()
            assert known == [(point.id, point.step) for point in runs.metrics(held)]
    poll()
    assert [step for _, step in known] == [step for step in (2, 4, 5) if step <= resumed_at] + [5, 6, 8]


def test_a_change_is_recorded_until_a_checkpoint_before_it_is_resumed(runs: RunStore, held: str) -> None:
    for step, rate in ((2, 0.05), (3, 0.025)):
        runs.record(held, "w", RateChanged(step=step, epoch=step / 5, old_rate=2 * rate, learning_rate=rate))
    assert [(change.step, change.old, change.new) for change in runs.changes(held)] == [
        (2, 0.1, 0.05),
        (3, 0.05, 0.025),
    ]
    assert {change.name for change in runs.changes(held)} == {"training.learning_rate"}
    assert runs.get(held).learning_rate == 0.025
    assert abs(runs.changes(held)[0].time - time.time()) < 60
    runs.record(held, "w", Ended(status="interrupted"))
    assert runs.take(held, "w2")
    runs.record(held, "w2", Started(step=2, steps=10, device="CPU", precision="float32", dataset_hash="x"))
    assert [change.step for change in runs.changes(held)] == [2]
    runs.delete(held)
    assert runs.changes(held) == []


def test_a_silent_worker_is_interrupted_and_cannot_write_any_more(
    runs: RunStore, held: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.reap()
    assert runs.get(held).status == "running"
    monkeypatch.setattr(worker_store_module, "SILENT_SECONDS", 0.05)
    time.sleep(0.1)
    runs.reap()
    run = runs.get(held)
    assert (run.status, run.resumable) == ("interrupted", True)
    assert "checkpoint" in run.message
    with pytest.raises(LostRunError):
        runs.record(held, "w", report(1))


def test_a_heartbeat_keeps_the_run(runs: RunStore, held: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_store_module, "SILENT_SECONDS", 0.3)
    worker = Worker(id="w", slot=0, pid=1, device="cpu", ready=True, run_id=held)
    for _ in range(5):
        time.sleep(0.1)
        runs.beat(worker)
        runs.reap()
    assert runs.get(held).status == "running"
    assert [known.slot for known in runs.workers()] == [0]
    runs.leave("w")
    assert runs.workers() == []
    assert runs.get(held).status == "interrupted"


def test_commands_are_taken_once_in_order_and_die_with_the_claim(runs: RunStore, held: str) -> None:
    runs.send(held, "learning_rate", 0.5)
    runs.send(held, "pause")
    assert [(command.verb, command.value) for command in runs.commands(held)] == [
        ("learning_rate", 0.5),
        ("pause", None),
    ]
    assert runs.commands(held) == []
    runs.send(held, "stop")
    runs.leave("w")
    runs.requeue(held)
    assert runs.claim("w2") == held
    assert runs.commands(held) == []


def test_delete_removes_everything_and_stops_the_worker(runs: RunStore, held: str) -> None:
    runs.record(held, "w", report(1))
    runs.send(held, "pause")
    runs.delete(held)
    with pytest.raises(LostRunError):
        runs.record(held, "w", report(2))
    with runs._engine.connect() as connection:
        for table in ("metrics", "commands"):
            assert connection.scalar(text(f"select count(*) from {table}")) == 0


def test_an_unknown_run_names_recent_ones(runs: RunStore) -> None:
    with pytest.raises(UnknownNameError, match="There are no runs yet"):
        runs.get("abc")
    run_id = runs.create(Recipe(), "one")
    with pytest.raises(UnknownNameError, match=run_id):
        runs.get("abc")


def test_names_are_cleaned(runs: RunStore) -> None:
    run_id = runs.create(Recipe(), "one")
    runs.rename(run_id, f" {'x' * 80}\n")
    assert runs.get(run_id).name == "x" * 80
    with pytest.raises(PlaygroundError, match="at most 80 characters, not 81"):
        runs.rename(run_id, "y" * 81)
    with pytest.raises(PlaygroundError, match="needs a name"):
        runs.rename(run_id, "\n \t")


def test_another_database_by_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNN_PLAYGROUND_DATABASE_URL", f"sqlite:///{tmp_path / 'elsewhere' / 'class.db'}")
    store().create(Recipe(), "one")
    assert (tmp_path / "elsewhere" / "class.db").exists()


def test_sqlite_runs_in_wal_mode(home: Path) -> None:
    store()
    with sqlite3.connect(home / "playground.db") as database:
        assert database.execute("pragma journal_mode").fetchone() == ("wal",)


def no_shared_memory(database: Path) -> sqlite3.Connection:
    """As on a network disk: this way of SQLite to use files knows no shared memory."""
    return sqlite3.connect(f"file:{database}?vfs=unix-none", uri=True)


class Refusing(sqlite3.Connection):
    """As on another network disk: the write-ahead log is an error."""

    def execute(self, sql: str, *parameters: object) -> sqlite3.Cursor:
        if "WAL" in sql:
            raise sqlite3.OperationalError("locking protocol")
        return super().execute(sql, *parameters)


@pytest.mark.skipif(sys.platform == "win32", reason="a way of Unix")
@pytest.mark.parametrize("how", ["no shared memory", "an error"])
def test_where_there_is_no_write_ahead_log_another_journal_does(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    database = home / "playground.db"
    connects = {
        "no shared memory": lambda: no_shared_memory(database),
        "an error": lambda: sqlite3.connect(database, factory=Refusing),
    }
    monkeypatch.setattr(engine_module, "create_engine", lambda url: create_engine(url, creator=connects[how]))
    runs = store()
    run_id = runs.create(Recipe(), "on a network disk", worker="w")
    runs.record(run_id, "w", STARTED, report(1))
    runs._engine.dispose()
    assert runs.get(run_id).step == 1
    sentences = [record.getMessage() for record in caplog.records]
    assert len(sentences) == 1
    assert "no write-ahead log" in sentences[0]
    assert "playground.db" in sentences[0]
    with runs._engine.connect() as connection:
        assert connection.exec_driver_sql("pragma journal_mode").scalar() == "truncate"


@pytest.mark.parametrize("address", ["nonsense", "sqlite://", "sqlite:////proc/nowhere/a.db", "unknown://host/db"])
def test_a_database_that_cannot_be_opened_is_a_sentence(address: str) -> None:
    with pytest.raises(PlaygroundError, match=r"cannot be opened: .*Check CNN_PLAYGROUND_DATABASE_URL"):
        RunStore(address)


def test_a_database_of_another_version_is_a_sentence(home: Path) -> None:
    store()
    with sqlite3.connect(home / "playground.db") as database:
        database.execute("alter table runs drop column number")
    with pytest.raises(PlaygroundError, match=r"another version.*lacks runs\.number\. Move it away"):
        RunStore(f"sqlite:///{home / 'playground.db'}")


@pytest.mark.parametrize("hours", [-1, 1])
def test_the_clock_of_a_worker_does_not_matter(
    runs: RunStore, held: str, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """Workers of two computers, one of them with a wrong clock: nobody is reaped, nobody is immortal."""
    real = time.time
    monkeypatch.setattr(worker_store_module, "SILENT_SECONDS", 0.5)
    theirs = runs.create(Recipe(), "theirs", worker="there:1")
    workers = {name: Worker(id=name, slot=0, pid=7, device="cpu", ready=True, run_id=None) for name in ("w", "there:1")}
    runs.beat(workers["w"])
    monkeypatch.setattr(time, "time", lambda: real() + hours * 3600)
    runs.beat(workers["there:1"])
    runs.reap()
    monkeypatch.setattr(time, "time", real)
    runs.reap()
    assert {worker.id for worker in runs.workers()} == {"w", "there:1"}
    assert (runs.get(held).status, runs.get(theirs).status) == ("running", "starting")
    time.sleep(0.6)
    runs.reap()
    assert runs.workers() == []
    assert {runs.get(held).status, runs.get(theirs).status} == {"interrupted"}
    queued = [runs.create(Recipe(), name) for name in ("first", "second")]
    assert runs.claim("w") == queued[0]
    assert abs(runs.get(queued[0]).created - real()) < 60


def test_a_worker_s_id_names_its_computer_and_fits(runs: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.node", lambda: "räum 7/" + "x" * 300)
    first, second = new_worker_id(), new_worker_id()
    assert first != second
    assert first.startswith("r-um-7-xx")
    assert len(first) <= 64
    assert runs.get(runs.create(Recipe(), "one", worker=first)).worker == first


def asking_for(device: str) -> Recipe:
    return Recipe.model_validate({"training": {"device": device}})


def test_a_worker_gets_the_runs_whose_device_it_has(runs: RunStore) -> None:
    ids = {device: runs.create(asking_for(device), device) for device in ("cuda", "mps", "cpu", "auto")}
    assert [runs.claim("w", ("auto", "cpu")) for _ in range(3)] == [ids["cpu"], ids["auto"], None]
    assert [runs.claim("gpu", ("auto", "cuda", "cpu")) for _ in range(2)] == [ids["cuda"], None]
    assert runs.claim("any") == ids["mps"]


def test_a_run_that_no_worker_can_train_says_so(runs: RunStore) -> None:
    run_id = runs.create(asking_for("cuda"), "cuda")
    assert not runs.get(run_id).unserved  # no worker yet: one may come
    for serves, unserved in (("auto,cpu", True), ("auto,cuda,cpu", False)):
        runs.beat(Worker(id="w", slot=0, pid=1, device="x", serves=serves, ready=True, run_id=None))
        assert runs.get(run_id).unserved is unserved


def test_a_run_knows_its_data_set_and_network_and_takes_a_note_and_tags(runs: RunStore) -> None:
    run_id = runs.create(Recipe(), "one")
    runs.describe(run_id, note="  first\ntry\0 ", tags=["b", " a\n", "b", ""])
    run = runs.get(run_id)
    assert (run.dataset, run.network, run.device_wanted) == ("fashion_mnist_sample", "compact_resnet", "auto")
    assert (run.note, run.tags, run.owner, run.parent_run) == ("first\ntry", ["a", "b"], "", None)
    assert [found.id for found in runs.runs_on("fashion_mnist_sample")] == [run_id]
    assert runs.runs_on("fashion") == []
    runs.describe(run_id, tags=[])
    assert (runs.get(run_id).tags, runs.get(run_id).note) == ([], "first\ntry")
    for too_much in ({"note": "x" * 4001}, {"tags": ["x" * 41]}, {"tags": [str(n) for n in range(21)]}):
        with pytest.raises(PlaygroundError, match="at most"):
            runs.describe(run_id, **too_much)  # type: ignore[arg-type]


def test_a_new_quantity_needs_no_column(runs: RunStore, held: str) -> None:
    runs.record(held, "w", replace(report(1), quantities={"gradient_norm": 2.5, "nothing": math.nan}))
    (point,) = runs.metrics(held)
    assert point.quantities == {"gradient_norm": 2.5, "nothing": None}
    runs.record(held, "w", Finished(test_accuracy=0.9, test_loss=0.2, quantities={"macro_f1": 0.8}))
    assert runs.get(held).quantities == {"macro_f1": 0.8}


def test_numbers_of_runs_are_not_given_out_twice(runs: RunStore) -> None:
    first, second = (runs.create(Recipe(), "a run") for _ in range(2))
    number = runs.get(second).number
    assert runs.get(first).number == number - 1
    runs.delete(second)
    assert runs.get(runs.create(Recipe(), "third")).number == number + 1


def test_text_that_is_too_long_for_its_column_is_cut(runs: RunStore, held: str) -> None:
    runs.record(held, "w", Preparing(progress_text="x" * 300))
    assert runs.get(held).progress_text == "x" * 200
    runs.record(held, "w", Ended(status="failed", message="a\0b" + "y" * 5000))
    assert runs.get(held).message == "ab" + "y" * 5000
