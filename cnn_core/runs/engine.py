"""The database connection: SQLite tuned for one writer among many readers; any other SQLAlchemy URL as it is."""

from __future__ import annotations

import logging
import sqlite3
from functools import lru_cache
from pathlib import Path
from typing import Any

from filelock import FileLock
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from cnn_core.errors import PlaygroundError
from cnn_core.explain import explain_database
from cnn_core.runs.tables import Base

NO_SHARED_MEMORY = ("locking protocol", "unable to open database file", "disk I/O error", "mmap")  # SQLite's words
BUSY_MILLISECONDS = 15_000  # that a connection waits for the lock of another


def connect(address: str) -> Engine:
    """An engine whose tables exist. `engine.execution_options(writing=True)` takes SQLite's write lock at once.

    Raises PlaygroundError when the database cannot be opened or was made by another version.
    """
    try:
        url = make_url(address)
        engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _other(url)
        missing = _missing(engine)
    except DBAPIError as error:
        raise PlaygroundError(f"The database {url.render_as_string()} {explain_database(error)}") from None
    except (SQLAlchemyError, ImportError, OSError, ValueError) as error:
        cause = str(error).splitlines()[0]
        raise PlaygroundError(
            f"The database of the runs cannot be opened: {cause}. Check CNN_PLAYGROUND_DATABASE_URL and "
            "CNN_PLAYGROUND_HOME."
        ) from None
    if missing:
        raise PlaygroundError(
            f"The database {url.render_as_string()} was made by another version of CNN Playground: it lacks "
            f"{', '.join(missing)}. Move it away, or set CNN_PLAYGROUND_HOME to another folder."
        )
    return engine


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise ValueError("workers cannot share a database in memory")
    database = Path(url.database)
    database.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url)
    event.listen(engine, "connect", _tune)
    event.listen(engine, "begin", _begin)
    with FileLock(f"{database}.lock"):  # two processes that start together must not both create the tables
        Base.metadata.create_all(engine)
    return engine


def _other(url: URL) -> Engine:
    engine = create_engine(url, pool_pre_ping=True)
    Base.metadata.create_all(engine)
    return engine


def _missing(engine: Engine) -> list[str]:
    """Columns of ours that the database does not have, as table.column."""
    found = inspect(engine)
    return [
        f"{name}.{column.name}"
        for name, table in Base.metadata.tables.items()
        for column in table.columns
        if column.name not in {known["name"] for known in found.get_columns(name)}
    ]


def _tune(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun in `_begin`, not by the driver
    for pragma in (f"busy_timeout={BUSY_MILLISECONDS}", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    refusal = _refusal_of_wal(connection)
    connection.execute(f"PRAGMA synchronous={'FULL' if refusal else 'NORMAL'}")
    if refusal:
        connection.execute("PRAGMA journal_mode=TRUNCATE")
        _tell_once(connection.execute("PRAGMA database_list").fetchone()[2], refusal)


def _refusal_of_wal(connection: Any) -> str:
    """Why there is no write-ahead log on this disk, empty when there is one: it needs memory that processes share,
    which network disks do not have. Raises OperationalError for a database that cannot be used at all."""
    try:
        mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    except sqlite3.OperationalError as error:
        if not any(part in str(error) for part in NO_SHARED_MEMORY):
            raise
        return str(error)
    return "" if mode == "wal" else f"the journal mode stays {mode}"


@lru_cache(maxsize=64)
def _tell_once(database: str, refusal: str) -> None:
    logging.getLogger(__name__).warning(
        "The disk of %s allows no write-ahead log (%s): pages and workers wait for each other more often. "
        "A local disk is faster.",
        database,
        refusal,
    )


def _begin(connection: Connection) -> None:
    """A read that turns into a write can fail at once instead of waiting; so writers lock first."""
    immediate = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
