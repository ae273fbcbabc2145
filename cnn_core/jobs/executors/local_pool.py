"""The pool of warm workers of this computer: child processes of the app, kept alive by a thread, ended with it."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import weakref
from collections.abc import Sequence
from pathlib import Path

from cnn_core.errors import UnknownNameError
from cnn_core.jobs.executors.slot import Slot
from cnn_core.runs.store import store
from cnn_core.settings import settings

WATCH_SECONDS = 1.0
STRAY_SECONDS = 30.0  # that a worker may be silent, or take to notice that its run is no longer its own


class LocalPool:
    """One worker process per slot. A worker that dies is replaced, and the run it held is interrupted."""

    name = "local"

    def __init__(self, devices: Sequence[str] | None = None):
        """`devices`: of each slot; those of `slots` where none are given."""
        self._slots = [Slot(number, device) for number, device in enumerate(slots() if devices is None else devices)]
        self._strays: dict[str, float] = {}  # id of a worker whose run is no longer its own -> time.monotonic()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        for slot in self._slots:
            slot.start()
        self._thread.start()
        atexit.register(self.close)
        _pools.add(self)

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers, by slot."""
        return [slot.pid for slot in self._slots]

    @property
    def trouble(self) -> str:
        """Why no worker starts, in a sentence; empty when one does."""
        return next((slot.trouble for slot in self._slots if slot.trouble), "")

    def start_queued(self) -> None:
        """Sign off workers that ended and start others in their places: workers take what is queued by themselves."""
        for slot in self._slots:
            slot.look()

    def end(self, run_id: str) -> bool:
        """As `Executor.end` says. Blocks until the process has ended, for `slot.CLOSE_SECONDS` and a moment at most."""
        try:
            holder = store().get(run_id).worker
        except UnknownNameError:
            return False
        slot = next((slot for slot in self._slots if holder and slot.worker_id == holder), None)
        if slot is None:
            return False
        slot.end()
        return True

    def close(self) -> None:
        """End the workers; each saves the state of its run first."""
        atexit.unregister(self.close)
        _pools.discard(self)
        self._closing.set()
        self._thread.join()
        for slot in self._slots:
            slot.close()
        for slot in self._slots:
            slot.wait()

    def _watch(self) -> None:
        while not self._closing.wait(WATCH_SECONDS):
            for check in (self.start_queued, self._end_strays, store().reap):
                try:
                    check()
                except Exception:  # whatever it was: without this thread dead workers stay dead
                    logging.getLogger(__name__).exception("The watch over the workers goes on after an error")

    def _end_strays(self) -> None:
        """End processes that are silent, or stay with a run that was taken from them, deleted say: they hang, and keep
        their place."""
        living = {worker.id: worker.run_id for worker in store().workers()}
        now, strays = time.monotonic(), {}
        for slot in self._slots:
            run_id = living.get(slot.worker_id)
            if slot.pid and (slot.worker_id not in living or (run_id and not store().holds(slot.worker_id, run_id))):
                strays[slot.worker_id] = self._strays.get(slot.worker_id, now)
                if now - strays[slot.worker_id] > STRAY_SECONDS:
                    slot.end()
        self._strays = strays


_pools: weakref.WeakSet[LocalPool] = weakref.WeakSet()


def trouble() -> str:
    """Why no worker of this process starts, in a sentence; empty when one does."""
    return next((pool.trouble for pool in _pools if pool.trouble), "")


def start_workers() -> LocalPool:
    """Start this computer's workers; they are ready after a few seconds. Call once and keep the result."""
    return LocalPool()


def slots() -> list[str]:
    """The device of each slot: what the operator lists; else one per NVIDIA GPU, or one that takes the best device."""
    listed = [device.strip() for device in settings().devices.split(",") if device.strip()]
    if listed not in ([], ["auto"]):
        return listed
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    present = len(list(Path("/dev").glob("nvidia[0-9]*")))
    gpus = present if visible is None else len([number for number in visible.split(",") if number.strip()])
    return [f"cuda:{number}" for number in range(gpus)] if gpus > 1 else ["auto"]


def wait_until_ready(seconds: float = 60.0) -> None:
    """Block until a worker is warm. Raises TimeoutError."""
    limit = time.monotonic() + seconds
    while not any(worker.ready for worker in store().workers()):
        if time.monotonic() > limit:
            raise TimeoutError(f"No worker was ready within {seconds:.0f} s.")
        time.sleep(0.05)
