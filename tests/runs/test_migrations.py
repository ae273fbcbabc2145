"""A database of an earlier version is upgraded in place, and nothing is lost on the way."""

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from cnn_core.errors import PlaygroundError
from cnn_core.recipe import Recipe
from cnn_core.runs.engine import connect
from cnn_core.runs.events import Report
from cnn_core.runs.migrations import HEAD, REVISIONS
from cnn_core.runs.migrations.upgrade import configuration
from cnn_core.runs.store import RunStore, store
from cnn_core.runs.tables import Base
from cnn_core.settings import Settings

VERSION_1 = Path(__file__).parent / "version_1" / "playground.db"
TABLES = ("runs", "metrics", "changes", "counters")
OPEN = "from cnn_core.runs.store import store; print(len(store().runs()))"
KILLED = "import os; from alembic import op; op.create_index = lambda *_: os._exit(9); " + OPEN


def rows(database: Path, table: str) -> list[dict[str, Any]]:
    connection = sqlite3.connect(database)
    connection.row_factory = sqlite3.Row
    found = [dict(row) for row in connection.execute(f"select * from {table} order by 1")]
    connection.close()
    return found


@pytest.fixture
def database(home: Path) -> Path:
    """One of version 1, where the settings expect it."""
    home.mkdir()
    return Path(shutil.copy(VERSION_1, home / "playground.db"))


def test_every_row_is_as_it_was_and_a_copy_is_kept(database: Path) -> None:
    RunStore(Settings().store_url)
    copy = database.with_name(f"playground.db.before-{HEAD}")
    for table in TABLES[:3]:
        old, new = rows(VERSION_1, table), rows(database, table)
        assert rows(copy, table) == old
        assert [{name: row[name] for name in before} for row, before in zip(new, old, strict=True)] == old
    assert {row["name"]: row["dataset"] for row in rows(database, "runs")} == {
        "Finished": "digits",
        "Paused": "digits",
        "Uninterrupted twin of Paused": "digits",
        "Unreadable recipe": "",
    }
    assert {row["name"]: row["value"] for row in rows(database, "counters")} == {
        "metrics": max(row["id"] for row in rows(VERSION_1, "metrics")),
        "networks": 0,
        "runs": max(row["number"] for row in rows(VERSION_1, "runs")),
    }
    assert sorted(path.name for path in database.parent.iterdir() if "before" in path.name) == [copy.name]


HOSTILE = {
    r'{"data": {"dataset": "\ud800x\u0000"}, "training": {"device": 7}}': ("?x", "auto"),  # half a surrogate pair
    r'{"data": [], "training": null}': ("", "auto"),
    "[" * 100_000: ("", "auto"),
    "9" * 10_000: ("", "auto"),
    json.dumps({"data": {"dataset": "x" * 999}, "training": {"device": "cuda"}}): ("x" * 200, "cuda"),
}


def test_a_recipe_that_cannot_be_read_stops_no_upgrade(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        columns = ", ".join(f'"{name}"' for name in rows(database, "runs")[0] if name not in ("id", "recipe_json"))
        for number, recipe in enumerate(HOSTILE):
            copied = f"insert into runs (id, recipe_json, {columns}) select ?, ?, {columns} from runs limit 1"
            connection.execute(copied, (f"{number:08}", recipe))
    connection.close()
    runs = RunStore(Settings().store_url)
    found = [runs.get(f"{number:08}") for number in range(len(HOSTILE))]
    assert [(run.dataset, run.device_wanted) for run in found] == list(HOSTILE.values())


def test_a_run_that_an_earlier_version_adds_after_the_upgrade_is_trained(database: Path) -> None:
    """By a process that was open before."""
    runs = RunStore(Settings().store_url)
    values = rows(VERSION_1, "runs")[0] | {"id": "00000001", "status": "queued", "worker": None}
    with sqlite3.connect(database) as connection:
        names = ", ".join(f'"{name}"' for name in values)
        connection.execute(f"insert into runs ({names}) values ({', '.join('?' * len(values))})", [*values.values()])
    connection.close()
    assert runs.claim("w", ("auto", "cpu")) == "00000001"


def test_a_second_opening_changes_nothing(database: Path) -> None:
    RunStore(Settings().store_url)
    copy = database.with_name(f"playground.db.before-{HEAD}")
    copy.unlink()
    RunStore(Settings().store_url)
    assert not copy.exists()


def test_a_new_database_needs_no_copy(home: Path) -> None:
    store()
    assert not [path for path in home.iterdir() if "before" in path.name]


def test_a_database_from_before_there_was_a_counter(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("update metrics set id = id + 500")
        connection.execute("drop table counters")
    connection.close()
    runs = RunStore(Settings().store_url)
    last = max(row["id"] for row in rows(database, "metrics"))
    run_id = runs.create(Recipe(), "new", worker="w")
    runs.record(
        run_id,
        "w",
        Report(
            step=1,
            epoch=0.1,
            loss=1.0,
            train_accuracy=0.5,
            learning_rate=0.1,
            images_per_second=1.0,
            seconds=1.0,
        ),
    )
    assert [point.id for point in runs.metrics(run_id)] == [last + 1]


def test_a_killed_upgrade_leaves_the_database_as_it_was(database: Path) -> None:
    assert subprocess.run([sys.executable, "-c", KILLED]).returncode == 9
    assert [{name: row[name] for name in row} for row in rows(database, "runs")] == rows(VERSION_1, "runs")
    assert len(RunStore(Settings().store_url).runs()) == 4


def test_processes_that_start_together_upgrade_once(database: Path) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", OPEN], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate()[0].strip() for process in processes] == ["4"] * 3


def test_a_copy_that_cannot_be_written_stops_the_upgrade(database: Path) -> None:
    database.with_name(f"playground.db.before-{HEAD}.part").mkdir()
    with pytest.raises(PlaygroundError):
        RunStore(Settings().store_url)
    assert rows(database, "runs") == rows(VERSION_1, "runs")


@pytest.mark.skipif(sys.platform == "win32", reason="a limit of Unix")
def test_a_disk_too_full_for_the_copy_stops_the_upgrade(database: Path) -> None:
    """Real writes that fail: files of this process cannot grow to the size of the database."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (VERSION_1.stat().st_size - 4096, hard))
    try:
        with pytest.raises(PlaygroundError, match="See that the disk has room"):
            RunStore(Settings().store_url)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not [path for path in database.parent.iterdir() if "before" in path.name]
    assert rows(database, "runs") == rows(VERSION_1, "runs")
    assert len(RunStore(Settings().store_url).runs()) == 4


def test_a_database_of_a_newer_version_is_refused(home: Path) -> None:
    store()
    with sqlite3.connect(home / "playground.db") as connection:
        connection.execute("update alembic_version set version_num = '0999'")
    connection.close()
    with pytest.raises(PlaygroundError, match=r"newer version .* its revision is 0999"):
        RunStore(Settings().store_url)


def test_migrated_tables_are_those_of_the_code(runs: RunStore) -> None:
    with runs._engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Base.metadata) == []
        assert [script.revision for script in ScriptDirectory.from_config(configuration(connection)).walk_revisions()][
            ::-1
        ] == list(REVISIONS)


@pytest.fixture
def older_postgresql(postgresql: str) -> str:
    """URL of a schema of its own, of version 1, with the rows of the SQLite file."""
    engine = create_engine(postgresql.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text("drop schema if exists older cascade"))
        connection.execute(text("create schema older"))
        connection.execute(text("set search_path to older"))
        command.upgrade(configuration(connection), REVISIONS[0])
        connection.execute(text("drop table alembic_version"))
        for table in TABLES:
            for row in rows(VERSION_1, table):
                names = ", ".join(f'"{name}"' for name in row)
                values = ", ".join(f":{name}" for name in row)
                connection.execute(text(f"insert into {table} ({names}) values ({values})"), row)
    engine.dispose()
    return f"{postgresql}&options=-csearch_path%3Dolder"


def test_an_older_postgresql_database_is_upgraded_too(older_postgresql: str) -> None:
    upgraded = connect(older_postgresql)
    with upgraded.connect() as connection:
        assert {column["name"] for column in inspect(connection).get_columns("runs")} >= {"dataset", "owner", "tags"}
        for table in TABLES[:3]:
            new = [dict(row) for row in connection.execute(text(f"select * from {table} order by 1")).mappings()]
            old = rows(VERSION_1, table)
            assert [{name: row[name] for name in before} for row, before in zip(new, old, strict=True)] == old
    upgraded.dispose()


def test_postgresql_too_is_upgraded_once_by_processes_that_start_together_after_one_was_killed(
    older_postgresql: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNN_PLAYGROUND_DATABASE_URL", older_postgresql)
    assert subprocess.run([sys.executable, "-c", KILLED]).returncode == 9
    engine = create_engine(older_postgresql.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        assert not inspect(connection).has_table("alembic_version")
        assert "dataset" not in {column["name"] for column in inspect(connection).get_columns("runs")}
    engine.dispose()
    processes = [subprocess.Popen([sys.executable, "-c", OPEN], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate()[0].strip() for process in processes] == ["4"] * 2
