"""One task: started, watched and cancelled by pages of every process, as its folder says how it stands."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from filelock import FileLock
from pydantic import BaseModel

from cnn_core.data.catalogue.library import Progress
from cnn_core.errors import PlaygroundError
from cnn_core.jobs.processes import spawn
from cnn_core.jobs.tasks import attempt as attempts
from cnn_core.jobs.tasks.attempt import END, Attempt, End, attempt_at, new_attempt
from cnn_core.jobs.tasks.kind import TaskKind
from cnn_core.jobs.tasks.turns import ahead_of, waiting

MOST_WAITING = 20
UNEXPLAINED = (
    "It ended without a reason. Try again; if that happens once more, see that the disk has room. "
    "The log folder of the server has the details."
)

R = TypeVar("R", bound=BaseModel)


@dataclass(frozen=True)
class TaskState:
    """How a task stands: `busy`, or ended with a result, with the sentence of what went wrong, or cancelled."""

    busy: bool = False
    ahead: int = 0  # tasks that come first, while it waits for its turn
    progress: Progress | None = None  # None while it starts or waits
    seconds_left: float | None = None
    result: dict[str, Any] | None = None
    error: str = ""
    cancelled: bool = False  # also while it is busy: it is about to end


class Task(Generic[R]):
    """`identity`: what two people who ask for the same thing have in common; they share the task and its result."""

    def __init__(self, kind: TaskKind[R], identity: str):
        self.kind = kind
        self.id = hashlib.sha256(f"{kind.name}\0{identity}".encode()).hexdigest()[:16]

    def start(self, request: R) -> None:
        """Begin in the background, unless it is under way; one that has ended begins anew.

        Raises PlaygroundError when too many wait.
        """
        with _starting():
            state = self.state()
            if state and state.busy:
                return
            attempts.remove_old()
            if sum(1 for _ in waiting()) >= MOST_WAITING:
                raise PlaygroundError(f"{MOST_WAITING} tasks are waiting already. Try again when some have ended.")
            attempt = new_attempt(self.id, self.kind.name, request.model_dump(mode="json"))
            try:
                spawn(
                    "cnn_core.jobs.tasks.run",
                    self.id,
                    attempt.asked.attempt,
                    log=f"task-{self.kind.name}",
                    when_ended=lambda: _note_lost(attempt),
                )
            except OSError:
                _note_lost(attempt)
                raise

    def cancel(self) -> None:
        """Ask it to end, for everybody who watches it; nothing of it is kept. One that has ended stays as it is."""
        attempt = attempt_at(self.id)
        if attempt and not attempt.end():
            attempt.cancel()

    def state(self) -> TaskState | None:
        """None when nobody asked for it, or long ago."""
        attempt = attempt_at(self.id)
        if attempt is None:
            return None
        lives = attempt.lives()
        end = attempt.end()  # after the look at the process, which writes it before it ends
        if end is None and not lives and not attempt.is_starting():
            _note_lost(attempt)
            end = _lost(attempt)
        return _ended(end) if end else _busy(attempt)

    def file(self, name: str) -> Path:
        """A file of the result. Raises PlaygroundError when there is none."""
        attempt = attempt_at(self.id)
        if attempt is None or not (attempt.folder / name).is_file():
            raise PlaygroundError("This result is no longer kept. Ask for it once more.")
        return attempt.folder / name


@contextmanager
def _starting() -> Iterator[None]:
    """One at a time, of all processes."""
    attempts.all_tasks().mkdir(parents=True, exist_ok=True)
    with FileLock(attempts.all_tasks() / "start.lock"):
        yield


def _ended(end: End) -> TaskState:
    if end.status == "done":
        return TaskState(result=end.result)
    return TaskState(error=end.error, cancelled=end.status == "cancelled")


def _busy(attempt: Attempt) -> TaskState:
    process, measured = attempt.process(), attempt.progress()
    if process is None or not process.working:
        return TaskState(True, ahead=ahead_of(attempt), cancelled=attempt.is_cancelled)
    if measured is None:
        return TaskState(True, cancelled=attempt.is_cancelled)
    progress = measured.progress
    left = measured.seconds / progress.done * (progress.total - progress.done) if progress.done else None
    return TaskState(True, progress=progress, seconds_left=left, cancelled=attempt.is_cancelled)


def _lost(attempt: Attempt) -> End:
    """The end of an attempt whose process is gone and left none."""
    return End(status="cancelled") if attempt.is_cancelled else End(status="failed", error=UNEXPLAINED)


def _note_lost(attempt: Attempt) -> None:
    """Leave an end for a process that left none: others could not tell one that never began from one that will."""
    with suppress(OSError):  # the disk is full, or the task has been cleared away
        if not attempt.end():
            attempt.put(END, _lost(attempt))
