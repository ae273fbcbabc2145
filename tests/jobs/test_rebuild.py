"""The folder of a run is enough to have it back."""

import json
import math
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from cnn_core.command_line.program import main
from cnn_core.jobs.execute import execute
from cnn_core.jobs.queue import rename
from cnn_core.jobs.rebuild import CUT_SHORT, rebuild
from cnn_core.planning.recipe import check, starting_recipe
from cnn_core.recipe import Recipe
from cnn_core.runs.events import EpochEnd
from cnn_core.runs.folder import RunFolder, snapshot
from cnn_core.runs.journal import JOURNAL, RECORD
from cnn_core.runs.store import store
from cnn_core.runs.tables import Change, Metric, Run

COLUMNS = [column.name for column in Run.__table__.columns if column.name not in ("heartbeat", "worker")]
TIMES = ("started", "finished", "queued")


def train(epochs: int = 3, pause_at: int = 0) -> str:
    values = starting_recipe("digits", "mlp").model_dump()
    values["training"] |= {"epochs": epochs, "batch_size": 256, "threads": 1}
    run_id = store().create(check(Recipe.model_validate(values)), "one run", worker="here")

    def watch(event: object) -> None:
        if isinstance(event, EpochEnd) and event.epoch == 1:
            store().send(run_id, "learning_rate", 5e-4)
        if isinstance(event, EpochEnd) and event.epoch == pause_at:
            store().send(run_id, "pause")

    execute(run_id, "here", "cpu", threading.Event(), watch)
    return run_id


def row(run_id: str) -> dict[str, Any]:
    run = store().get(run_id)
    return {name: getattr(run, name) for name in COLUMNS if name not in TIMES}


def points(rows: list[Metric] | list[Change]) -> list[dict[str, Any]]:
    left_out = ("id", "time")
    return [{c.name: getattr(r, c.name) for c in r.__table__.columns if c.name not in left_out} for r in rows]


def lose_the_database(home: Path) -> None:
    store()._engine.dispose()
    for path in home.glob("playground.db*"):
        path.unlink()
    from cnn_core.runs import store as module

    module._open.cache_clear()


def test_a_finished_run_comes_back_as_it_was(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_id = train()
    rename(run_id, "Its new name")
    before, curve, changes = row(run_id), points(store().metrics(run_id)), points(store().changes(run_id))
    times = {name: getattr(store().get(run_id), name) for name in ("started", "finished")}
    assert changes
    lose_the_database(home)
    assert main(("runs", "--rebuild")) == 0
    assert '"name": "Its new name"' in capsys.readouterr().out
    assert row(run_id) == before
    assert points(store().metrics(run_id)) == curve
    assert points(store().changes(run_id)) == changes
    for name, value in times.items():
        assert getattr(store().get(run_id), name) == pytest.approx(value, abs=5)
    assert rebuild() == {}
    assert store().get(train()).number == before["number"] + 1


def test_a_paused_run_comes_back_and_goes_on(home: Path) -> None:
    whole, paused = train(), train(pause_at=2)
    lose_the_database(home)
    assert rebuild() == {whole: "", paused: ""}
    assert store().get(paused).status == "paused"
    assert store().take(paused, "here")
    execute(paused, "here", "cpu", threading.Event())
    ours, theirs = (load_file(RunFolder(run_id).files.open(snapshot(3))) for run_id in (paused, whole))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    lose_the_database(home)  # its journal now holds two tries
    assert rebuild() == {whole: "", paused: ""}
    assert [metric.epoch for metric in store().metrics(paused) if metric.kind == "validation"] == [1, 2, 3]


def test_a_journal_cut_short_gives_an_interrupted_run(home: Path) -> None:
    run_id = train()
    path = RunFolder(run_id).files.open(JOURNAL)
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:4]) + "\n" + lines[4][:20])
    lose_the_database(home)
    assert rebuild() == {run_id: ""}
    assert (store().get(run_id).status, store().get(run_id).message) == ("interrupted", CUT_SHORT)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (None, "It has no run.json"),
        ("", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        (json.dumps({"name": "x", "number": 1, "created": 1.0, "recipe": {"version": 99}}), "has version 99"),
        (json.dumps({"name": "x", "number": -1, "created": 1.0, "recipe": {}}), "cannot be read"),
    ],
)
def test_a_damaged_folder_costs_a_sentence(home: Path, text: str | None, part: str) -> None:
    good = train()
    files = RunFolder("0123abcd").files
    files.put("plan.json", lambda path: path.write_text("{}"))
    if text is not None:
        files.put(RECORD, lambda path: path.write_text(text))
    (home / "runs" / "not-a-run").mkdir()
    lose_the_database(home)
    found = rebuild()
    assert found[good] == ""
    assert part in found["0123abcd"]
    assert list(found) == sorted({good, "0123abcd"})


@pytest.mark.parametrize("value", [math.nan, 10**30])
def test_a_number_that_no_run_has_costs_its_run_alone(home: Path, value: float) -> None:
    bad, good = train(1), train(1)
    path = RunFolder(bad).files.open(JOURNAL)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    field = "loss" if math.isnan(value) else "step"
    path.write_text("".join(json.dumps(line | {field: value} if field in line else line) + "\n" for line in lines))
    lose_the_database(home)
    found = rebuild()
    assert found[good] == ""
    assert "holds a number that no run has" in found[bad]
    assert [run.id for run in store().runs()] == [good]


def test_two_that_rebuild_at_once_both_succeed(home: Path) -> None:
    run_id = train(1)
    before = row(run_id)
    lose_the_database(home)
    store()
    both = threading.Barrier(2)
    found: list[dict[str, str]] = []

    def again() -> None:
        both.wait()
        found.append(rebuild())

    threads = [threading.Thread(target=again) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {text for one in found for text in one.values()} == {""}
    assert row(run_id) == before


LINES = (
    "null",
    "[]",
    '{"kind": "Report"}',
    '{"kind": "Started", "time": "x"}',
    '{"time": 1, "kind": "Ended", "status": 5}',
)


@pytest.mark.parametrize("line", LINES)
def test_lines_that_are_no_events_are_left_out(home: Path, line: str) -> None:
    run_id = train(1)
    before = row(run_id)
    path = RunFolder(run_id).files.open(JOURNAL)
    path.write_text(f"{line}\n{path.read_text()}")
    lose_the_database(home)
    assert rebuild() == {run_id: ""}
    assert row(run_id) == before
