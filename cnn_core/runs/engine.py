"""The database connection: SQLite tuned for one writer among many readers; any other SQLAlchemy URL as it is."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from filelock import FileLock
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from cnn_core.errors import PlaygroundError
from cnn_core.explain import explain_database
from cnn_core.into_place import move_into_place
from cnn_core.runs.migrations import HEAD, REVISIONS
from cnn_core.runs.tables import Base

NO_SHARED_MEMORY = ("locking protocol", "unable to open database file", "disk I/O error", "mmap")  # SQLite's words
VERSION_TABLE = "alembic_version"
LOCK_KEY = 0x434E4E50  # "CNNP"
BUSY_MILLISECONDS = 15_000  # that a connection waits for the lock of another


def connect(address: str) -> Engine:
    """An engine whose tables are those of this version. `engine.execution_options(writing=True)` takes SQLite's write
    lock at once.

    A database of an earlier version is upgraded in place; of an SQLite file a copy is kept first, named after it with
    `.before-` and the revision. Raises PlaygroundError when the database cannot be opened or is of a newer version.
    """
    try:
        url = make_url(address)
        engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _other(url)
        if revision(engine) != HEAD:
            _upgrade(engine)
        missing = _missing(engine)
    except (DBAPIError, sqlite3.Error) as error:
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


def revision(engine: Engine) -> str:
    """Of the tables there; "" for an empty database, and for one from before there were revisions."""
    with engine.connect() as connection:
        if not inspect(connection).has_table(VERSION_TABLE):
            return ""
        return connection.scalar(text(f"select version_num from {VERSION_TABLE}")) or ""


def _upgrade(engine: Engine) -> None:
    """Bring the tables to HEAD. Processes that start together do so one after another, and the first does the work."""
    with _held(engine) as connection:
        if (before := revision(engine)) == HEAD:
            return
        if before and before not in REVISIONS:
            raise PlaygroundError(
                f"The database {engine.url.render_as_string()} was made by a newer version of CNN Playground: its "
                f"revision is {before[:40]}, the newest known here is {HEAD}. Update this installation, or set "
                "CNN_PLAYGROUND_HOME to another folder."
            )
        if engine.dialect.name == "sqlite" and inspect(engine).has_table("runs"):
            _keep_copy(Path(str(engine.url.database)))
        from cnn_core.runs.migrations.upgrade import upgrade

        with connection.begin():
            upgrade(connection)


@contextmanager
def _held(engine: Engine) -> Iterator[Connection]:
    """A connection that nobody upgrades beside: a file beside an SQLite database is locked, PostgreSQL has a lock for
    it."""
    if engine.dialect.name == "sqlite":
        with FileLock(f"{engine.url.database}.lock"), engine.execution_options(writing=True).connect() as connection:
            yield connection
        return
    with engine.connect() as connection:
        lock = {"key": LOCK_KEY} if engine.dialect.name == "postgresql" else None
        if lock:
            connection.execute(text("select pg_advisory_lock(:key)"), lock)
            connection.commit()
        try:
            yield connection
        finally:
            connection.rollback()
            if lock:
                connection.execute(text("select pg_advisory_unlock(:key)"), lock)
                connection.commit()


def _keep_copy(database: Path) -> None:
    """What the database holds before it is upgraded, beside it: whole, or not there."""
    copy = database.with_name(f"{database.name}.before-{HEAD}")
    draft = copy.with_name(f"{copy.name}.part")
    draft.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(draft)) as target:
            source.backup(target)
        move_into_place(draft, copy)
    finally:
        draft.unlink(missing_ok=True)


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise ValueError("workers cannot share a database in memory")
    database = Path(url.database)
    database.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url)
    event.listen(engine, "connect", _tune)
    event.listen(engine, "begin", _begin)
    return engine


def _other(url: URL) -> Engine:
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    return create_engine(url, pool_pre_ping=True)


def _missing(engine: Engine) -> list[str]:
    """Columns of ours that the database does not have, as table.column."""
    found = inspect(engine)
    there = {table: {column["name"] for column in found.get_columns(table)} for table in found.get_table_names()}
    return [
        f"{name}.{column.name}"
        for name, table in Base.metadata.tables.items()
        for column in table.columns
        if column.name not in there.get(name, ())
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
