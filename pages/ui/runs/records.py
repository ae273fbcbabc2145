"""What all sessions of the server know of a run: twenty people who watch it share one reading of the store."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from cnn_core.runs.store import store
from cnn_core.runs.tables import Run
from pages.ui.charts.curves import Record
from pages.ui.charts.figures import QUANTITIES, curve_option

FRESH = 0.9  # seconds for which a reading is good enough for whoever looks next
EVERY = 1.0  # seconds between two looks of a session at a live run
SLOW = 5.0  # seconds between two looks at what only a person can change, perhaps in another browser
# Looks a second that the server takes for each of its cores. A look costs 10 to 15 ms, in which training on all cores
# stands still: its threads wait for the one that was displaced.
LOOKS_PER_CORE = 1.5

LATE = 2.0  # seconds by which a look may be late

Options = dict[str, dict[str, Any]]


class Shared:
    """A run and the charts of its record, kept up to date by whoever looks first."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._lock = threading.Lock()
        self._read_at = 0.0
        self._record = Record()
        self._options: Options = {}

    def expire(self) -> None:
        """The next look reads the store: after a person did something, nobody should see what was before."""
        self._read_at = 0.0

    @property
    def record(self) -> Record:
        """The points and changes as they were at the last look."""
        return self._record

    def look(self) -> tuple[Run, Options]:
        """The run and its live charts, quantity -> ECharts option, empty before the first point.

        Raises UnknownNameError when the run is gone.
        """
        with self._lock:
            if time.monotonic() - self._read_at > FRESH:
                self._run = store().get(self._run_id)
                self._read()
                self._options = self._draw()
                self._read_at = time.monotonic()
            return self._run, self._options

    def _read(self) -> None:
        """Add the points that are new. A resumed run may take some back, then all are read again."""
        new = store().new_metrics(self._run_id, self._record.last, self._record.count)
        if new is None:
            self._record = Record(store().metrics(self._run_id))
        else:
            self._record.add(new)
        self._record.changes = store().changes(self._run_id)

    def _draw(self) -> Options:
        if not self._record.last:
            return {}
        return {quantity: curve_option(self._run, self._record, quantity) for quantity in QUANTITIES}


@st.cache_resource(max_entries=1000, show_spinner=False)
def shared(run_id: str) -> Shared:
    """What is known of a run in this server."""
    return Shared(run_id)


_expected: dict[str, float] = {}  # session -> when it has looked again, if it is still there


def interval() -> float:
    """Seconds until this session should look again: longer when many look, so that training keeps its speed."""
    now, context = time.monotonic(), get_script_run_ctx()
    for session, expected in list(_expected.items()):
        if expected < now:
            _expected.pop(session, None)
    session = context.session_id if context else ""
    others = len(_expected.keys() - {session})
    seconds = max(EVERY, (1 + others) / (LOOKS_PER_CORE * (os.cpu_count() or 1)))
    _expected[session] = now + 2 * seconds + LATE
    return seconds
