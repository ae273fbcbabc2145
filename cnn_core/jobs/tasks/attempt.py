"""A task on disk: a folder with what was asked, and one folder in it for each attempt at it."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from filelock import FileLock, Timeout
from pydantic import BaseModel, Field, ValidationError

from cnn_core.data.catalogue.library import Progress
from cnn_core.errors import PlaygroundError
from cnn_core.into_place import move_into_place
from cnn_core.settings import settings

TASK, PROCESS, PROGRESS, END, CANCEL, LOCK = (
    "task.json",
    "process.json",
    "progress.json",
    "end.json",
    "cancel",
    "lock",
)
TOKEN = r"^[0-9a-f]{16}$"
KEPT_SECONDS = 24 * 3600.0  # that a result is kept, since it was asked for
START_SECONDS = 30.0  # that a process may take until it runs, on a busy computer
M = TypeVar("M", bound=BaseModel)


class Asked(BaseModel):
    """What was asked for, when (time.time()), and the attempt that counts."""

    kind: str
    request: dict[str, Any]
    attempt: str = Field(pattern=TOKEN)
    asked: float


class Process(BaseModel):
    """Written by the process of an attempt once it runs, and again when it is its turn to work."""

    pid: int
    working: bool


class Measured(BaseModel):
    """How far an attempt is, and seconds since the first report of its stage."""

    progress: Progress
    seconds: float


class End(BaseModel):
    """How an attempt ended: with a result, or with a sentence."""

    status: Literal["done", "failed", "cancelled"]
    result: dict[str, Any] = {}
    error: str = ""


@dataclass(frozen=True)
class Attempt:
    """The attempt at a task that counts. Its process holds a lock as long as it lives."""

    task_id: str
    asked: Asked

    @property
    def folder(self) -> Path:
        return folder_of(self.task_id) / self.asked.attempt

    @property
    def lock(self) -> FileLock:
        return FileLock(self.folder / LOCK)

    @property
    def age(self) -> float:
        """Seconds since it was asked for; a clock that was set back counts as long ago."""
        return abs(time.time() - self.asked.asked)

    def lives(self) -> bool:
        """Whether its process holds the lock."""
        if not (self.folder / LOCK).exists():
            return False
        try:
            with self.lock.acquire(timeout=0):
                return False
        except Timeout:
            return True
        except OSError:  # cleared away
            return False

    def is_starting(self) -> bool:
        """Whether its process may still be on its way."""
        return self.process() is None and self.age < START_SECONDS

    def process(self) -> Process | None:
        return _get(self.folder / PROCESS, Process)

    def progress(self) -> Measured | None:
        return _get(self.folder / PROGRESS, Measured)

    def end(self) -> End | None:
        return _get(self.folder / END, End)

    def put(self, name: str, value: BaseModel) -> None:
        """Replace one of its files as a whole."""
        _put(self.folder / name, value)

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody cancelled it; it may still be working."""
        return (self.folder / CANCEL).exists()

    def cancel(self) -> None:
        with suppress(FileNotFoundError):  # cleared away
            (self.folder / CANCEL).touch()


def folder_of(task_id: str) -> Path:
    """Raises PlaygroundError when that is no id of a task."""
    if not re.fullmatch(TOKEN, task_id):
        raise PlaygroundError(f"There is no task {task_id[:40]!r} here.")
    return all_tasks() / task_id


def all_tasks() -> Path:
    """The folder of all tasks."""
    return settings().home / "tasks"


def new_attempt(task_id: str, kind: str, request: dict[str, Any]) -> Attempt:
    """Begin anew, in the place of the attempt before, whose files go."""
    asked = Asked(kind=kind, request=request, attempt=secrets.token_hex(8), asked=time.time())
    attempt = Attempt(task_id, asked)
    attempt.folder.mkdir(parents=True)
    try:
        _put(folder_of(task_id) / TASK, asked)
    except OSError:
        shutil.rmtree(attempt.folder, ignore_errors=True)
        raise
    for folder in folder_of(task_id).iterdir():
        if folder.is_dir() and folder != attempt.folder:
            shutil.rmtree(folder, ignore_errors=True)
    return attempt


def attempt_at(task_id: str) -> Attempt | None:
    """The attempt that counts, None when the task was never asked for or has been cleared away."""
    asked = _get(folder_of(task_id) / TASK, Asked)
    return Attempt(task_id, asked) if asked else None


def all_attempts() -> Iterator[Attempt]:
    """The one that counts, of every task."""
    for folder in all_tasks().iterdir() if all_tasks().is_dir() else ():
        if re.fullmatch(TOKEN, folder.name) and (attempt := attempt_at(folder.name)):
            yield attempt


def remove_old() -> None:
    """Remove tasks that ended, or whose process was lost, long ago."""
    for attempt in all_attempts():
        if attempt.age > KEPT_SECONDS and (attempt.end() or not attempt.lives()):
            shutil.rmtree(attempt.folder.parent, ignore_errors=True)


def _put(path: Path, value: BaseModel) -> None:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.draft")
    try:
        draft.write_text(value.model_dump_json(), "utf-8")
        move_into_place(draft, path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _get(path: Path, model: type[M]) -> M | None:
    try:
        return model.model_validate(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, ValidationError):
        return None
