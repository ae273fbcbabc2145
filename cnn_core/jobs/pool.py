"""The pool of warm workers of this computer: child processes of the app, kept alive by a thread, ended with it."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from cnn_core.runs.store import store
from cnn_core.settings import settings

WATCH_SECONDS = 1.0
CLOSE_SECONDS = 15.0
ROOT = Path(__file__).parents[2]  # where `import cnn_core` works


class Pool:
    """One worker process per slot. A worker that dies is replaced, and the run it held is interrupted."""

    def __init__(self, devices: Sequence[str]):
        self._devices = devices
        self._workers = [spawn_worker(slot, device) for slot, device in enumerate(devices)]
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        atexit.register(self.close)

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers, by slot."""
        return [worker.pid for worker in self._workers]

    def close(self) -> None:
        """End the workers; each saves the state of its run first. One that takes too long, in a download, is killed."""
        atexit.unregister(self.close)
        self._closing.set()
        self._thread.join()
        for worker in self._workers:
            if worker.stdin:
                worker.stdin.close()
        for worker in self._workers:
            try:
                worker.wait(timeout=CLOSE_SECONDS)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()

    def _watch(self) -> None:
        while not self._closing.wait(WATCH_SECONDS):
            for slot, worker in enumerate(self._workers):
                if worker.poll() is not None:
                    self._replace(slot, worker)
            store().reap()

    def _replace(self, slot: int, dead: subprocess.Popen[bytes]) -> None:
        dead.__exit__(None, None, None)  # closes its input
        for row in store().workers():
            if row.pid == dead.pid:
                store().leave(row.id)
        self._workers[slot] = spawn_worker(slot, self._devices[slot])


def start_workers() -> Pool:
    """Start this computer's workers; they are ready after a few seconds. Call once and keep the result."""
    store().reap()
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


def spawn_worker(slot: int, device: str) -> subprocess.Popen[bytes]:
    """A worker process that ends when its standard input closes: when this process does, however it ends."""
    return spawn("cnn_core.jobs.worker", "--slot", str(slot), "--device", device, log=f"worker-{slot}")


def spawn(module: str, *arguments: str, log: str) -> subprocess.Popen[bytes]:
    """`python -m module` with a pipe to its standard input and its output in the log folder."""
    logs = settings().home / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    with (logs / f"{log}.log").open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONPATH": path},
            start_new_session=True,
        )


def wait_until_ready(seconds: float = 60.0) -> None:
    """Block until a worker is warm. Raises TimeoutError."""
    limit = time.monotonic() + seconds
    while not any(worker.ready for worker in store().workers()):
        if time.monotonic() > limit:
            raise TimeoutError(f"No worker was ready within {seconds:.0f} s.")
        time.sleep(0.05)
