"""Tasks take turns: a few work at once, the others wait in the order in which they were asked for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from filelock import FileLock, Timeout

from cnn_core.cores import usable_cores
from cnn_core.jobs.tasks.attempt import Attempt, all_attempts, all_tasks

POLL_SECONDS = 0.1
AT_ONCE = max(2, usable_cores())  # tasks of one computer


def waiting() -> Iterator[Attempt]:
    """Tasks whose process waits for its turn, or is starting."""
    for attempt in all_attempts():
        process = attempt.process()
        queued = attempt.lives() if process and not process.working else attempt.is_starting()
        if queued and not attempt.end():
            yield attempt


def ahead_of(attempt: Attempt) -> int:
    """How many tasks wait that were asked for earlier."""
    mine = (attempt.asked.asked, attempt.task_id)
    return sum(1 for other in waiting() if (other.asked.asked, other.task_id) < mine)


@contextmanager
def turn(attempt: Attempt) -> Iterator[None]:
    """Wait until fewer than AT_ONCE tasks work and none is ahead. Raises KeyboardInterrupt when cancelled before."""
    locks = [FileLock(all_tasks() / f"turn-{number}.lock") for number in range(AT_ONCE)]
    while True:
        if attempt.is_cancelled:
            raise KeyboardInterrupt
        for lock in () if ahead_of(attempt) else locks:
            with suppress(Timeout):
                lock.acquire(timeout=0)
                try:
                    yield
                finally:
                    lock.release()
                return
        time.sleep(POLL_SECONDS)
