"""Runs whose rows are lost come back from their folders."""

from __future__ import annotations

from sqlalchemy.exc import DataError, IntegrityError

from cnn_core.errors import PlaygroundError
from cnn_core.runs.events import Ended
from cnn_core.runs.files import LocalRunFiles, run_ids
from cnn_core.runs.journal import JOURNAL, Journal, read_record
from cnn_core.runs.store import store

CUT_SHORT = "Rebuilt from its folder: training was cut short."


def rebuild() -> dict[str, str]:
    """Add every run that has a folder and no row. Id of each such run -> "", or why it could not be rebuilt."""
    known = store().statuses()
    return {run_id: _rebuild(run_id) for run_id in run_ids() if run_id not in known}


def _rebuild(run_id: str) -> str:
    files = LocalRunFiles(run_id)
    try:
        record = read_record(files)
        events = list(Journal(files).read()) if files.version(JOURNAL) is not None else []
        if not events or not events[-1][1].ends:
            when = events[-1][0] if events else record.created
            events.append((when, Ended(status="interrupted", message=CUT_SHORT)))
        store().restore(run_id, record.recipe, record.name, record.number, record.created, events)
    except PlaygroundError as error:
        return str(error)
    except (IntegrityError, DataError, OverflowError):
        if run_id in store().statuses():
            return ""  # another process has rebuilt it meanwhile
        return f"Its {JOURNAL} holds a number that no run has: NaN, or one that is too large."
    return ""
