"""A database of an earlier version is upgraded in place, and nothing is lost on the way."""

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
        "runs": max(row["number"] for row in rows(VERSION_1, "runs")),
    }
    assert sorted(path.name for path in database.parent.iterdir() if "before" in path.name) == [copy.name]


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
    runs.record(run_id, "w", Report(
        step=1, epoch=0.1, loss=1.0, train_accuracy=0.5, learning_rate=0.1, images_per_second=1.0, seconds=1.0,
    ))  # fmt: skip
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


def test_an_older_postgresql_database_is_upgraded_too(postgresql: str) -> None:
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
    upgraded = connect(f"{postgresql}&options=-csearch_path%3Dolder")
    with upgraded.connect() as connection:
        assert {column["name"] for column in inspect(connection).get_columns("runs")} >= {"dataset", "owner", "tags"}
        for table in TABLES[:3]:
            new = [dict(row) for row in connection.execute(text(f"select * from {table} order by 1")).mappings()]
            old = rows(VERSION_1, table)
            assert [{name: row[name] for name in before} for row, before in zip(new, old, strict=True)] == old
    upgraded.dispose()
