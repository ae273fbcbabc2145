"""What an executor is. Each trains runs by `cnn_core.jobs.execute`, in processes of its own, wherever they are."""

from __future__ import annotations

from typing import Protocol


class Executor(Protocol):
    """Brings queued runs to workers. What a worker does with a run goes through the store alone."""

    name: str

    @property
    def trouble(self) -> str:
        """Why nothing is trained, in a sentence; empty when all is well."""

    def start_queued(self) -> None:
        """See to it that queued runs are trained, as far as there is room. Returns at once, and may be called often."""

    def end(self, run_id: str) -> bool:
        """End the process that holds a run, even one that answers nothing: the run is interrupted, and saved where that
        is possible. Returns whether this executor held it."""

    def close(self) -> None:
        """End all that was started; each process saves its run first."""
