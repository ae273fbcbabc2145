"""The database connection: SQLite tuned for one writer among many readers; any other SQLAlchemy URL as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from filelock import FileLock
from sqlalchemy import Connection, Engine, create_engine, event, make_url

from cnn_core.runs.tables import Base


def connect(url: str) -> Engine:
    """An engine whose tables exist. `engine.execution_options(writing=True)` takes SQLite's write lock at once."""
    database = make_url(url).database
    if not url.startswith("sqlite") or not database:
        engine = create_engine(url, pool_pre_ping=True)
        Base.metadata.create_all(engine)
        return engine
    Path(database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url)
    event.listen(engine, "connect", _tune)
    event.listen(engine, "begin", _begin)
    with FileLock(f"{database}.lock"):  # two processes that start together must not both create the tables
        Base.metadata.create_all(engine)
    return engine


def _tune(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun in `_begin`, not by the driver
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=15000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    """A read that turns into a write can fail at once instead of waiting; so writers lock first."""
    immediate = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
