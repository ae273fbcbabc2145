"""A place for one worker process: started, watched, and started again when it dies, more slowly each time."""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from contextlib import suppress

from cnn_core.jobs.processes import log_file, spawn
from cnn_core.runs.store import store
from cnn_core.runs.worker_id import new_worker_id

CLOSE_SECONDS = 15.0
PROVEN_SECONDS = 30.0  # a worker that lived this long was all right
LONGEST_PAUSE = 60.0  # seconds between two tries to start a worker that ends at once, again and again
TROUBLE = 3  # failures in a row before pages say so


class Slot:
    """A place for one worker process at a time; one that ends is replaced, more slowly the sooner it ended."""

    def __init__(self, number: int, device: str):
        self._number, self._device = number, device
        self._process: subprocess.Popen[bytes] | None = None
        self.worker_id = ""
        self._started = self._next_try = 0.0  # time.monotonic()
        self._failures = 0  # starts in a row that led to nothing
        self._looking = threading.Lock()

    @property
    def pid(self) -> int:
        """Process id of the worker; 0 while there is none."""
        return self._process.pid if self._process else 0

    @property
    def trouble(self) -> str:
        """Why this place has no worker, in a sentence; empty while that may have been an accident."""
        lives = self._process is not None and time.monotonic() - self._started >= PROVEN_SECONDS
        if self._failures < TROUBLE or lives:
            return ""
        return (
            f"The worker does not start: it ended at once, {self._failures} times in a row. "
            f"It is tried again and again; why it ends is in {log_file(self._log)}."
        )

    def look(self) -> None:
        """Sign off a worker that ended, and start one where there is none and it is time."""
        with self._looking:
            if self._process and self._process.poll() is not None:
                store().leave(self.worker_id)  # before it is forgotten: when the store is away this look is made again
                self._process = None
                self._note_end()
            if self._process is None and time.monotonic() >= self._next_try:
                self.start()

    def start(self) -> None:
        """Start a worker. One that cannot even be started counts as one that ended at once."""
        self._started, self.worker_id = time.monotonic(), new_worker_id()
        try:
            self._process = spawn_worker(self._number, self._device, self.worker_id, self._log)
        except OSError:
            logging.getLogger(__name__).exception("The worker of slot %s could not be started", self._number)
            self._note_end()

    def end(self) -> None:
        """End the worker, which saves its run if it still can, sign it off and start another."""
        self.close()
        self.wait()
        self.look()

    def close(self) -> None:
        """Ask the worker to end."""
        process = self._process
        if process and process.stdin:
            with suppress(OSError):  # it has ended by itself
                process.stdin.close()

    def wait(self) -> None:
        """Wait until the worker has ended; one that takes too long, in a download, is killed."""
        if process := self._process:
            try:
                process.wait(timeout=CLOSE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    @property
    def _log(self) -> str:
        return f"worker-{self._number}"

    def _note_end(self) -> None:
        now = time.monotonic()
        self._failures = 0 if now - self._started >= PROVEN_SECONDS else self._failures + 1
        self._next_try = now + (min(2.0 ** (self._failures - 1), LONGEST_PAUSE) if self._failures > 1 else 0.0)


def spawn_worker(slot: int, device: str, worker_id: str, log: str) -> subprocess.Popen[bytes]:
    """A worker process that ends when its standard input closes: when this process does, however it ends."""
    options = ("--slot", str(slot), "--device", device, "--id", worker_id)
    return spawn("cnn_core.jobs.worker", *options, log=log)
