"""Ctrl-C and its relatives: what a process is asked to stop by."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

PIPE = 13  # the number of SIGPIPE, which not every system has: nobody reads the output any more
NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # not every system has all of them
SHELL = 128  # a shell reports the end by a signal as this and its number


class Stopped(KeyboardInterrupt):
    """The process was asked to stop by a signal."""

    def __init__(self, number: int):
        super().__init__(f"signal {number}")
        self.exit_code = SHELL + number


class Interruption:
    """While the context is open, a signal sets `closing`; the second one, and one without patience, raises Stopped."""

    def __init__(self) -> None:
        self.closing = threading.Event()
        self.patient = True  # somebody will look at `closing` soon
        self.number = 0  # of the signal
        self._before: dict[int, Any] = {}

    @property
    def exit_code(self) -> int:
        """What a shell reports, 0 when there was no signal."""
        return SHELL + self.number if self.number else 0

    def request(self, number: int) -> None:
        """Ask for the end without a signal; the first request counts."""
        self.number = self.number or number
        self.closing.set()

    def become_impatient(self) -> None:
        """What follows can take long and does not look at `closing`. Raises Stopped when that is set already."""
        self.patient = False
        if self.closing.is_set():
            raise Stopped(self.number)

    def __enter__(self) -> Interruption:
        self._before = on_signals(self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        again = self.closing.is_set()
        self.request(number)
        if again or not self.patient:
            raise Stopped(number)


def stop_on_signals() -> None:
    """A signal raises Stopped."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise Stopped(number)

    on_signals(stop)


def ignoring_signals() -> None:
    """What is left to do is short, and has to be done whole."""
    on_signals(signal.SIG_IGN)


def on_signals(handler: Any) -> dict[int, Any]:
    """Set the handler of each signal but those that the parent wants ignored; returns the handlers before.

    Does nothing outside the main thread, where Python allows none.
    """
    if threading.current_thread() is not threading.main_thread():
        return {}
    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    heard = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    return {number: signal.signal(number, handler) for number in heard}
