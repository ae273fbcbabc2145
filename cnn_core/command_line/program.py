"""One way from arguments to an exit code: whatever goes wrong is one sentence, never a traceback."""

from __future__ import annotations

import io
import logging
import os
import sys
import threading
import traceback
from collections.abc import Sequence
from contextlib import suppress

from cnn_core.command_line.arguments import parser
from cnn_core.command_line.interruption import ignoring_signals, stop_on_signals
from cnn_core.command_line.output import print_sentence
from cnn_core.errors import PlaygroundError
from cnn_core.explain import explain
from cnn_core.settings import settings

STOPPED = "Stopped. Nothing half done was kept."


def program(arguments: Sequence[str] | None = None) -> int:
    """`main` for a process of its own: its streams can print every name, and what threads and libraries say goes to
    the log."""
    stop_on_signals()
    _open_streams()
    logging.basicConfig(handlers=[_Log()])
    threading.excepthook = lambda hook: _note(hook.exc_value)
    sys.unraisablehook = lambda hook: _note(hook.exc_value)
    try:
        return main(arguments)
    finally:
        ignoring_signals()


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 done, 1 the run or the program failed, 2 the request cannot be met, 128 + the number of a signal."""
    try:
        options = parser().parse_args(arguments)
        code = options.do(options) or 0
        sys.stdout.flush()
        return code
    except KeyboardInterrupt as stop:
        print_sentence(STOPPED)
        return getattr(stop, "exit_code", 130)
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        _forget_output()
        return 0
    except Exception as error:
        return _fail(error)


def _fail(error: Exception) -> int:
    if not isinstance(error, PlaygroundError):
        _forget_output()  # what is left of it may be what could not be written
    if known := explain(error):
        print_sentence(known)
        return 2
    _note(error)
    first = (str(error).splitlines() or [""])[0]
    print_sentence(f"Something unexpected went wrong in the program ({type(error).__name__}: {first}). {_where()}")
    return 1


def _open_streams() -> None:
    """A closed stream becomes one that swallows; letters that the terminal does not have are printed as escapes."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - for as long as we live
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _forget_output() -> None:
    """Nothing more is printed to standard output, not even at the end of the process."""
    with suppress(OSError, ValueError):  # no file, as in a test
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Log(logging.Handler):
    """What is logged goes to the log file."""

    def emit(self, record: logging.LogRecord) -> None:
        _write(self.format(record))


def _note(error: BaseException | None) -> None:
    if error is not None and not isinstance(error, KeyboardInterrupt):
        _write("".join(traceback.format_exception(error)))


def _write(text: str) -> None:
    try:
        folder = settings().home / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "command-line.log").open("a", encoding="utf-8", errors="backslashreplace") as log:
            log.write(f"{text.rstrip()}\n")
    except (OSError, PlaygroundError):
        pass  # there is nowhere left to say it


def _where() -> str:
    try:
        return f"The details are in {settings().home / 'logs' / 'command-line.log'}."
    except PlaygroundError:
        return "Please report it."
