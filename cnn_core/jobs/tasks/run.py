"""The process of one task: `python -m cnn_core.jobs.tasks.run ID`."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from cnn_core.cores import usable_cores
from cnn_core.data.catalogue.library import TICK, Progress
from cnn_core.errors import PlaygroundError
from cnn_core.explain import explain
from cnn_core.jobs.tasks import kinds  # noqa: F401 - registers them
from cnn_core.jobs.tasks.kind import Report, task_kinds
from cnn_core.jobs.tasks.task import CANCEL, DONE, FAILED, LOCK, PROGRESS, REQUEST, get, progress_file, put
from cnn_core.settings import settings

POLL_SECONDS = 0.1
AT_ONCE = max(2, usable_cores())  # tasks of one computer; the others wait


def run(task_id: str) -> None:
    """Its result, or what went wrong, lies in its folder afterwards; cancelled, nothing does."""
    folder = settings().home / "tasks" / task_id
    with FileLock(folder.parent / f"{task_id}.{LOCK}"), _cancelled(folder) as ended:
        try:
            with _turn(folder.parent):
                if (folder / CANCEL).exists():
                    raise KeyboardInterrupt
                _work(folder)
        except KeyboardInterrupt:
            ended.set()
            shutil.rmtree(folder, ignore_errors=True)


def _work(folder: Path) -> None:
    try:
        asked = get(folder / REQUEST) or {}
        kind = task_kinds.get(asked["kind"])
        put(folder / DONE, kind.run(kind.request(**asked["values"]), _reporter(folder / PROGRESS), folder))
    except Exception as error:
        sentence = explain(error)
        if sentence is None:
            logging.getLogger(__name__).exception("The task %s failed", folder.name)
            sentence = PlaygroundError("The program has a fault here. The log folder of the server has the details.")
        with suppress(OSError):  # a full disk: whoever watches finds that it ended
            put(folder / FAILED, {"message": str(sentence)})


def _reporter(path: Path) -> Report:
    """Writes progress at most once a TICK, with the seconds since it began."""
    began = time.monotonic()
    last = -TICK

    def report(progress: Progress) -> None:
        nonlocal last
        if time.monotonic() - last >= TICK:
            last = time.monotonic()
            with suppress(OSError):
                put(path, progress_file(progress, last - began))

    return report


@contextmanager
def _cancelled(folder: Path) -> Iterator[threading.Event]:
    """Interrupt the main thread when somebody cancels, until the block or the event ends it."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(POLL_SECONDS):
            if (folder / CANCEL).exists():
                ended.set()
                os.kill(os.getpid(), signal.SIGINT)  # also what waits for a network is interrupted

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield ended
    finally:
        ended.set()


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """Wait until fewer than AT_ONCE tasks are at work."""
    locks = [FileLock(folder / f"turn-{number}.lock") for number in range(AT_ONCE)]
    while True:
        for lock in locks:
            with suppress(Timeout):
                with lock.acquire(timeout=0):
                    yield
                return
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    run(sys.argv[1])
