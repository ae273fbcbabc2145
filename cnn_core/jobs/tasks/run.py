"""The process of one attempt at a task: `python -m cnn_core.jobs.tasks.run TASK ATTEMPT`."""

from __future__ import annotations

import _thread
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from cnn_core.data.catalogue.library import TICK, Progress
from cnn_core.jobs.tasks import kinds  # noqa: F401 - registers them
from cnn_core.jobs.tasks.attempt import END, PROCESS, PROGRESS, Attempt, End, Measured, Process, attempt_at
from cnn_core.jobs.tasks.kind import Report, task_kinds
from cnn_core.jobs.tasks.turns import turn

POLL_SECONDS = 0.1
CANCEL_SECONDS = 5.0  # in which cancelled work may clean up: what hangs is not interrupted


def run(attempt: Attempt) -> None:
    """How it ended is in the folder of the attempt afterwards."""
    with attempt.lock:
        attempt.put(PROCESS, Process(pid=os.getpid(), working=False))
        try:
            with _interrupted_when_cancelled(attempt), turn(attempt):
                attempt.put(PROCESS, Process(pid=os.getpid(), working=True))
                end = _work(attempt)
        except KeyboardInterrupt:
            end = End(status="cancelled")
        with suppress(OSError):  # a full disk: whoever watches finds that it ended
            attempt.put(END, end)


def _work(attempt: Attempt) -> End:
    try:
        kind = task_kinds.get(attempt.asked.kind)
        request = kind.request.model_validate(attempt.asked.request)
        return End(status="done", result=kind.run(request, _reporter(attempt), attempt.folder))
    except Exception as error:
        from cnn_core.explain import explain  # SQLAlchemy, a third of a second

        sentence = explain(error)
        if sentence is None:
            logging.getLogger(__name__).exception("The task %s failed", attempt.task_id)
        fault = "The program has a fault here. The log folder of the server has the details."
        return End(status="failed", error=str(sentence or fault))


def _reporter(attempt: Attempt) -> Report:
    """Writes progress at most once a TICK, with the seconds since its stage began."""
    stage, began, last = "", 0.0, -TICK

    def report(progress: Progress) -> None:
        nonlocal stage, began, last
        now = time.monotonic()
        if progress.stage != stage:
            stage, began, last = progress.stage, now, -TICK
        if now - last >= TICK:
            last = now
            with suppress(OSError):
                attempt.put(PROGRESS, Measured(progress=progress, seconds=now - began))

    return report


@contextmanager
def _interrupted_when_cancelled(attempt: Attempt) -> Iterator[None]:
    """Interrupt the main thread when somebody cancels; a process that still works CANCEL_SECONDS later is ended."""
    left = threading.Event()

    def watch() -> None:
        while not left.wait(POLL_SECONDS):
            if attempt.is_cancelled:
                _interrupt()
                if not left.wait(CANCEL_SECONDS):
                    attempt.put(END, End(status="cancelled"))
                    os._exit(1)
                return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        left.set()


def _interrupt() -> None:
    """As Ctrl-C: a signal interrupts also what waits for a network, but would end the process at once on Windows."""
    if os.name == "nt":
        _thread.interrupt_main()
    else:
        os.kill(os.getpid(), signal.SIGINT)


def main() -> None:
    task_id, token = sys.argv[1:]
    attempt = attempt_at(task_id)
    if attempt and attempt.asked.attempt == token and not attempt.end():
        signal.signal(signal.SIGINT, signal.default_int_handler)  # shells ignore it for what runs in the background
        run(attempt)


if __name__ == "__main__":
    main()
