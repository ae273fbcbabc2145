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

from cnn_core.jobs.slot import Slot
from cnn_core.runs.store import store
from cnn_core.settings import settings

WATCH_SECONDS = 1.0


class Pool:
    """One worker process per slot. A worker that dies is replaced, and the run it held is interrupted."""

    def __init__(self, devices: Sequence[str]):
        self._slots = [Slot(number, device) for number, device in enumerate(devices)]
        for slot in self._slots:
            slot.start()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
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
        looks = [*(slot.look for slot in self._slots), lambda: store().reap()]
        while not self._closing.wait(WATCH_SECONDS):
            for look in looks:
                try:
                    look()
                except Exception:  # whatever it was: without this thread dead workers stay dead
                    logging.getLogger(__name__).exception("The watch over the workers goes on after an error")


_pools: weakref.WeakSet[Pool] = weakref.WeakSet()


def trouble() -> str:
    """Why no worker of this process starts, in a sentence; empty when one does."""
    return next((pool.trouble for pool in _pools if pool.trouble), "")


def start_workers() -> Pool:
    """Start this computer's workers; they are ready after a few seconds. Call once and keep the result."""
    return Pool(slots())


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
