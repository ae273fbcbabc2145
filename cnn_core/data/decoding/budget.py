"""One allowance of memory for all images that a process decodes at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cnn_core.settings import settings


class MemoryBudget:
    """Lets decoding start while the estimates together stay within a limit; whoever comes first goes first."""

    def __init__(self) -> None:
        self._turn = threading.Lock()  # held by the one that waits for room
        self._changed = threading.Condition()
        self._used = 0

    @contextmanager
    def reserve(self, needed: int, limit: int) -> Iterator[None]:
        """Block until `needed` bytes fit into `limit`; what is larger than the limit is decoded alone."""
        with self._turn, self._changed:
            self._changed.wait_for(lambda: self._used == 0 or self._used + needed <= limit)
            self._used += needed
        try:
            yield
        finally:
            with self._changed:
                self._used -= needed
                self._changed.notify_all()


_budget = MemoryBudget()


@contextmanager
def memory_for(needed: int) -> Iterator[None]:
    """Within it `needed` bytes of the process's allowance (`decode_megabytes`) are taken."""
    with _budget.reserve(needed, settings().decode_megabytes * 1_000_000):
        yield
