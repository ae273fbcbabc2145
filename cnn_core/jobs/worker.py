"""The worker process: takes runs from the queue and trains them, one after another, with torch warm."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from filelock import FileLock, Timeout

from cnn_core.jobs.execute import execute, forget_ended
from cnn_core.jobs.heartbeat import Heartbeat
from cnn_core.jobs.outbox import RETRY_SECONDS, patiently
from cnn_core.runs.store import store
from cnn_core.runs.tables import Worker
from cnn_core.settings import settings
from cnn_core.training.memory import return_memory

NO_RUN = "0" * 8  # a run without a folder
POLL_SECONDS = 0.1  # a look at an empty queue costs 0.3 ms


def main() -> None:
    parser = argparse.ArgumentParser(description="Train queued runs until standard input closes.")
    parser.add_argument("--slot", type=int, required=True)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--id", required=True, help="the name under which it holds runs")
    options = parser.parse_args()
    closing = end_with_parent()
    signal.signal(signal.SIGTERM, lambda *_: closing.set())
    worker = Worker(id=options.id, slot=options.slot, pid=os.getpid(), device=options.device, ready=False)
    worker.serves, worker.run_id = "auto", None
    with Heartbeat(worker), only_in_slot(options.slot, closing) as mine:
        if mine:
            warm_up(options.device)
            worker.serves = served_by(options.device)
            worker.ready = True
            patiently(forget_ended, closing)
            serve(worker, closing)


def serve(worker: Worker, closing: threading.Event) -> None:
    """Train what is queued until `closing` is set, whatever goes wrong with one run."""
    while not closing.is_set():
        try:
            _next_run(worker, closing)
        except Exception:
            logging.getLogger(__name__).exception("The worker goes on after an error in run %s", worker.run_id)
            patiently(lambda: store().leave(worker.id), closing)
            closing.wait(RETRY_SECONDS)


def _next_run(worker: Worker, closing: threading.Event) -> None:
    worker.run_id = patiently(lambda: store().claim(worker.id, worker.serves.split(",")), closing)
    if worker.run_id is None:
        closing.wait(POLL_SECONDS)
        return
    execute(worker.run_id, worker.id, worker.device, closing)
    return_memory()


def end_with_parent() -> threading.Event:
    """An event that is set when standard input closes, which it does however the parent ends."""
    closing = threading.Event()

    def watch() -> None:
        sys.stdin.buffer.read()
        closing.set()

    threading.Thread(target=watch, daemon=True).start()
    return closing


@contextmanager
def only_in_slot(slot: int, closing: threading.Event) -> Iterator[bool]:
    """Wait until no other worker on this computer has the slot. False when `closing` was set first."""
    settings().home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(settings().home / f"slot-{slot}.lock")
    while not closing.is_set():
        with suppress(Timeout):
            lock.acquire(timeout=0.5)
            break
    try:
        yield lock.is_locked
    finally:
        lock.release()


def warm_up(device: str) -> None:
    """Load torch, open the default data set and rehearse its run, so that the first run does not pay for it."""
    from cnn_core.data.catalogue.library import prepare
    from cnn_core.planning.recipe import check, starting_recipe
    from cnn_core.runs.folder import RunFolder
    from cnn_core.training.session import TrainingSession

    recipe = check(starting_recipe())
    dataset = prepare(recipe.data.dataset, recipe.data.image_size)
    TrainingSession(recipe, dataset, RunFolder(NO_RUN), device).rehearse()


def served_by(device: str) -> str:
    """The devices that runs may ask of this worker, with commas."""
    from cnn_core.training.hardware import served

    return ",".join(served(device))


if __name__ == "__main__":
    main()
