"""A thread that tells the store, as long as this process lives, that it does."""

from __future__ import annotations

import logging
import threading

from cnn_core.runs.store import store
from cnn_core.runs.tables import Worker

BEAT_SECONDS = 1.5


class Heartbeat:
    """Beats while the context is open; on leaving, the worker and what it held are signed off."""

    def __init__(self, worker: Worker):
        self._worker, self._ended = worker, threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        try:
            store().leave(self._worker.id)
        except Exception:  # whoever looks next finds it silent
            logging.getLogger(__name__).exception("The worker could not sign off")

    def _beat(self) -> None:
        while True:
            try:
                store().beat(self._worker)
            except Exception:  # a locked or unreachable database, say: the next beat may get through
                logging.getLogger(__name__).exception("The heartbeat was not written")
            if self._ended.wait(BEAT_SECONDS):
                return
