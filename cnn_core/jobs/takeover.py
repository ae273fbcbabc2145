"""Going on with a run whose process may have been killed: it left no word, only silence."""

from __future__ import annotations

import time
from collections.abc import Callable

from cnn_core.runs.store import store
from cnn_core.runs.tables import HELD
from cnn_core.runs.worker_store import SILENT_SECONDS

LOOK_SECONDS = 0.2


def interrupt_if_silent(run_id: str, say: Callable[[str], object]) -> None:
    """Return once it is clear whether the worker that holds a run is alive, at most about 7 s later.

    A run whose worker is gone is interrupted then, and can be resumed. `say` gets a sentence when this takes
    a while. Raises UnknownNameError.
    """
    store().reap()
    heard = store().get(run_id).heartbeat
    limit, announced = time.monotonic() + SILENT_SECONDS + 1.0, False
    while _waits(run_id, heard) and time.monotonic() < limit:
        if not announced:
            say(f"Run {run_id} was being trained a moment ago: waiting up to {SILENT_SECONDS:.0f} s for its heartbeat.")
            announced = True
        time.sleep(LOOK_SECONDS)
        store().reap()


def _waits(run_id: str, heard: float | None) -> bool:
    """Whether a worker holds the run of which nothing was heard since `heard`."""
    run = store().get(run_id)
    return run.status in HELD and run.heartbeat == heard
