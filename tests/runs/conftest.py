"""The run store on each database it works with."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from cnn_core.runs.store import RunStore, store
from tests.postgresql import find_postgresql, server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of an empty database on a server of the tests' own; skips where PostgreSQL is not installed."""
    programs = find_postgresql()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    with ExitStack() as stack:
        yield stack.enter_context(server(programs))


@pytest.fixture(params=["sqlite", "postgresql"])
def runs(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunStore]:
    """An empty run store, which the settings point to."""
    if request.param == "postgresql":
        monkeypatch.setenv("CNN_PLAYGROUND_DATABASE_URL", request.getfixturevalue("postgresql"))
        empty(store())
    yield store()
    store()._engine.dispose()


def empty(runs: RunStore) -> None:
    with runs._engine.begin() as connection:
        connection.execute(text("truncate runs, metrics, changes, commands, workers, networks"))
        connection.execute(text("update counters set value = 0"))
