"""Short transactions on the database of the runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from cnn_core.runs.engine import connect


class Transactions:
    """Raises PlaygroundError when the database cannot be opened, as `engine.connect` says."""

    def __init__(self, url: str):
        self._engine = connect(url)
        self._writer = self._engine.execution_options(writing=True)

    @contextmanager
    def _read(self) -> Iterator[Session]:
        with Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def _write(self) -> Iterator[Session]:
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session
