"""The present weights of a run, while it trains and somebody looks. Needs no torch.

Who looks marks the run again and again; its worker sees the mark change and writes the weights. Nobody compares the
clocks of two computers: a mark counts from when the worker saw it change.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sqlalchemy.exc import DBAPIError

from cnn_core.errors import PlaygroundError
from cnn_core.runs import tables
from cnn_core.runs.files import LocalRunFiles, RunFiles
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store

LIVE, MARK = "live.safetensors", "watched"
MARK_SECONDS = 1.5  # between two marks of one process
WATCHED_SECONDS = 6.0  # for which a mark counts

_marked: dict[str, float] = {}  # run -> when this process marked it last
_marking = threading.Lock()  # one process serves many viewers


def mark_watched(run_id: str) -> None:
    """Say that somebody looks at a run, at most every MARK_SECONDS whoever asks. Nothing where the run has no files:
    it has not begun, or was deleted. The mark of a run that ended meanwhile is taken back."""
    files = LocalRunFiles(run_id)
    with _marking:
        now = time.monotonic()
        if now - _marked.get(run_id, -math.inf) < MARK_SECONDS:
            return
        if not files.names():
            return
        _marked[run_id] = now
        with suppress(OSError):  # another process marked it just now, or the disk is full: pages go on
            files.put(MARK, lambda path: path.write_text(str(time.time_ns())))
    if _has_ended(run_id):  # after the mark: its worker records the end first and removes the marks then
        with suppress(OSError):
            files.delete(MARK)


def _has_ended(run_id: str) -> bool:
    """Whether it has left its worker; False where that is not known."""
    with suppress(PlaygroundError, DBAPIError, OSError):
        return store().get(run_id).status not in tables.LIVE
    return False


class Watched:
    """Whether somebody looks at a run; call it with the files of the run now and then, it costs a look at the disk."""

    def __init__(self, files: RunFiles, clock: Callable[[], float] = time.monotonic):
        self._files, self._clock = files, clock
        self._seen: str | None = None
        self._changed = -WATCHED_SECONDS

    def __call__(self) -> bool:
        mark = self._files.version(MARK)
        if mark is not None and mark != self._seen:
            self._changed = self._clock()
        self._seen = mark
        return mark is not None and self._clock() - self._changed < WATCHED_SECONDS


def live_version(run_id: str) -> str | None:
    """Text that is another one once the live weights have been written again; None where there are none."""
    return RunFolder(run_id).files.version(LIVE)


def about_live(run_id: str) -> dict[str, Any]:
    """`step`, `epoch` (a fraction while it goes on), `plan`, and `learning`: address of an operation with weights ->
    {"weight_norm", "gradient_norm", "update_ratio"}, None for what is no finite number. Empty where there are none."""
    return RunFolder(run_id).about(LIVE)


def forget_live(run_id: str) -> None:
    """Remove the live weights and the mark: the run has left its worker. What cannot be removed stays."""
    with suppress(OSError):  # on Windows somebody may be reading it; the next worker removes it
        RunFolder(run_id).files.delete(LIVE, MARK)
    with _marking:
        _marked.pop(run_id, None)
