"""The way between a run and the store: events go out in order, commands come back, and training waits for neither
when the store is away (locked, its disk full or its host unreachable)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, InterfaceError, NotSupportedError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from cnn_core.jobs.unsent import Unsent, recorded_points
from cnn_core.runs.events import Event
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store
from cnn_core.runs.tables import Command
from cnn_core.runs.worker_store import LostRunError

T = TypeVar("T")

PATIENCE = 2.0  # seconds that training waits for the store before it goes on without
RETRY_SECONDS = 1.0
GRACE = 5.0  # seconds in which a closing worker still tries to be heard


def is_away(error: Exception) -> bool:
    """Whether the same request may succeed later: the store is at fault, not what it was asked."""
    ours = (IntegrityError, DataError, ProgrammingError, NotSupportedError)
    return isinstance(error, DatabaseError | InterfaceError | PoolTimeoutError | OSError) and not isinstance(
        error, ours
    )


def patiently(ask: Callable[[], T], closing: threading.Event) -> T | None:
    """What `ask` answers, asked again while the store is away; None when `closing` was set first."""
    while not closing.is_set():
        try:
            return ask()
        except Exception as error:
            if not is_away(error):
                raise
            logging.getLogger(__name__).warning("The store does not answer, asked again soon: %s", error)
            closing.wait(RETRY_SECONDS)
    return None


class Outbox:
    """One run's correspondence, while the context is open. On leaving it is delivered to the last event.

    While the store answers, an event is recorded before `post` returns: what a checkpoint holds is in the record too.
    While it is away, events wait in memory and in the run's folder, from where a resumed run takes them.
    """

    def __init__(self, run_id: str, worker_id: str, closing: threading.Event):
        """Delivers what an earlier worker could not. Raises LostRunError, and the store's errors."""
        self._run_id, self._worker_id, self._closing = run_id, worker_id, closing
        self._unsent = Unsent(RunFolder(run_id))
        self._deliver_earlier()
        self._waiting: list[Event] = []
        self._commands: list[Command] = []
        self._news = threading.Condition()
        self._asked = self._ended = False
        self._away_since: float | None = None  # time.monotonic()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._correspond, name=f"outbox-{run_id}", daemon=True)

    def _deliver_earlier(self) -> None:
        """What an earlier worker could not deliver; what the store will never take is dropped."""
        try:
            self._record(self._unsent.read(lambda: recorded_points(self._run_id)))
        except Exception as error:
            if is_away(error) or isinstance(error, LostRunError):
                raise
            logging.getLogger(__name__).exception("Events kept in the folder of run %s are dropped", self._run_id)
        self._unsent.clear()

    def __enter__(self) -> Outbox:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Waits for a store that is away, unless the process is closing: then others notice that it is gone."""
        with self._news:
            self._ended = True
            self._news.notify_all()
        limit = float("inf")
        while self._thread.is_alive() and time.monotonic() < limit:
            self._thread.join(0.05)
            if self._closing.is_set():
                limit = min(limit, time.monotonic() + GRACE)

    @property
    def away_seconds(self) -> float:
        """For how long the store has not answered."""
        since = self._away_since
        return time.monotonic() - since if since is not None else 0.0

    @property
    def delivered(self) -> bool:
        """Whether every event is recorded."""
        return not self._waiting

    def post(self, event: Event) -> None:
        """Hand over an event. Raises LostRunError when the run is no longer this worker's."""
        with self._news:
            self._waiting.append(event)
            if self._away_since is not None:
                self._unsent.add([event])
            self._wait_for(lambda: not self._waiting)

    def commands(self) -> list[Command]:
        """What pages have asked for, oldest first; while the store is away nothing, it is asked again next time."""
        with self._news:
            self._asked = True
            self._wait_for(lambda: not self._asked)
            commands, self._commands = self._commands, []
        return commands

    def _wait_for(self, answer: Callable[[], bool]) -> None:
        """Let the thread do its work: for `PATIENCE` at most, and not at all while the store is known to be away."""
        self._news.notify_all()
        if self._away_since is None and not self._news.wait_for(lambda: self._error or answer(), PATIENCE):
            self._is_away("it takes long")
        if self._error:
            raise self._error

    # In the thread

    def _correspond(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._asked or self._waiting or self._ended)
                if self._ended and not self._waiting:
                    return
                waiting, asked = list(self._waiting), self._asked
            try:
                self._exchange(waiting, asked)
            except Exception as error:
                with self._news:
                    if is_away(error):
                        self._is_away(error)
                    else:
                        self._error = error
                    self._news.notify_all()
                if self._error:
                    return
                time.sleep(RETRY_SECONDS)

    def _exchange(self, waiting: list[Event], asked: bool) -> None:
        self._record(waiting)
        with self._news:
            del self._waiting[: len(waiting)]
        commands = store().commands(self._run_id) if asked else []
        with self._news:
            self._commands += commands
            self._asked = self._asked and not asked
            if self._away_since is not None and not self._waiting:
                self._unsent.clear()
                self._away_since = None
            self._news.notify_all()

    def _record(self, events: list[Event]) -> None:
        """Record events. A run that was given up during an outage, and taken by nobody, is taken back."""
        if not events:
            return
        try:
            store().record(self._run_id, self._worker_id, *events)
        except LostRunError:
            if not store().reclaim(self._run_id, self._worker_id):
                raise
            store().record(self._run_id, self._worker_id, *events)

    def _is_away(self, cause: object) -> None:
        """From now on training does not wait."""
        if self._away_since is None:
            self._away_since = time.monotonic()
            self._unsent.add(self._waiting)
            logging.getLogger(__name__).warning("The store is away, run %s goes on: %s", self._run_id, cause)
