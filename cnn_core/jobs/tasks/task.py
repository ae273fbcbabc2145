"""One task: started, watched and cancelled by pages of every process, as its folder says how it stands."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from filelock import FileLock, Timeout
from pydantic import BaseModel

from cnn_core.data.catalogue.library import Progress
from cnn_core.into_place import move_into_place
from cnn_core.jobs.processes import spawn
from cnn_core.jobs.tasks.kind import TaskKind
from cnn_core.settings import settings

REQUEST, PROGRESS, DONE, FAILED, CANCEL, LOCK = "request", "progress", "done", "failed", "cancel", "lock"
START_SECONDS = 20.0  # in which a new process has to take its task
STALE = 24 * 3600.0  # seconds after which a task that nobody asked for again is removed
UNEXPLAINED = "It ended without a reason. Try again; the log folder of the server has the details."

R = TypeVar("R", bound=BaseModel)

_children: dict[str, subprocess.Popen[bytes]] = {}  # of this process: whether one died is known at once


@dataclass(frozen=True)
class TaskState:
    """How a task stands: `busy`, or ended with a result or with the sentence of what went wrong."""

    busy: bool = False
    progress: Progress | None = None  # None while it starts, or waits for others to end
    seconds_left: float | None = None
    result: dict[str, Any] | None = None
    error: str = ""


class Task(Generic[R]):
    """`identity`: what two people who ask for the same thing have in common; they share the task and its result."""

    def __init__(self, kind: TaskKind[R], identity: str):
        self.kind = kind
        self.id = hashlib.sha256(f"{kind.name}\0{identity}".encode()).hexdigest()[:16]
        self.folder = settings().home / "tasks" / self.id

    def start(self, request: R) -> None:
        """Begin in the background, unless it is under way."""
        _remove_stale(self.folder.parent)
        with FileLock(self._beside("starting")):
            state = self.state()
            if state and state.busy:
                return
            self.forget()
            self.folder.mkdir(parents=True, exist_ok=True)
            values = {"kind": self.kind.name, "values": request.model_dump(mode="json")}
            put(self.folder / REQUEST, values)
            _children[self.id] = spawn("cnn_core.jobs.tasks.run", self.id, log=f"task-{self.kind.name}")

    def cancel(self) -> None:
        """Ask it to end; nothing of it is kept."""
        if self.folder.is_dir():
            (self.folder / CANCEL).touch()

    def state(self) -> TaskState | None:
        """None when nobody asked for it, and when it was cancelled."""
        if not (self.folder / REQUEST).exists():
            return None
        if done := get(self.folder / DONE):
            return TaskState(result=done)
        if failed := get(self.folder / FAILED):
            return TaskState(error=str(failed.get("message", UNEXPLAINED)))
        if not self._lives():
            return None if (self.folder / CANCEL).exists() else TaskState(error=UNEXPLAINED)
        report = get(self.folder / PROGRESS)
        if report is None:
            return TaskState(busy=True)
        progress = Progress(**report["progress"])
        left = report["seconds"] / progress.done * (progress.total - progress.done) if progress.done else None
        return TaskState(busy=True, progress=progress, seconds_left=left)

    def file(self, name: str) -> Path:
        """A file of the result."""
        return self.folder / name

    def forget(self) -> None:
        """As if it had never been asked for; only of one that is not under way."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _lives(self) -> bool:
        child = _children.get(self.id)
        if child and child.poll() is None:
            return True
        try:
            with FileLock(self._beside(LOCK)).acquire(timeout=0):
                pass
        except Timeout:
            return True
        began = (self.folder / REQUEST).stat().st_mtime if (self.folder / REQUEST).exists() else 0.0
        return child is None and time.time() - began < START_SECONDS  # another process has just started it

    def _beside(self, name: str) -> Path:
        """A lock outlives the folder."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        return self.folder.parent / f"{self.id}.{name}"


def put(path: Path, values: dict[str, Any]) -> None:
    draft = path.with_name(f"{path.name}.draft")
    draft.write_text(json.dumps(values), "utf-8")
    move_into_place(draft, path)


def get(path: Path) -> dict[str, Any] | None:
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError):
        return None


def progress_file(progress: Progress, seconds: float) -> dict[str, Any]:
    return {"progress": asdict(progress), "seconds": seconds}


def _remove_stale(folder: Path) -> None:
    for path in folder.glob("*") if folder.is_dir() else ():
        request = path / REQUEST
        if path.is_dir() and (not request.exists() or time.time() - request.stat().st_mtime > STALE):
            shutil.rmtree(path, ignore_errors=True)
