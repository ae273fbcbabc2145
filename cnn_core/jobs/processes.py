"""Child processes of the app: each can end when its standard input closes, and none is left as a zombie."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cnn_core.settings import settings

# On Windows, as a new session elsewhere: Ctrl-C in the terminal of the app is not for its children
APART = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
ROOT = Path(__file__).parents[2]  # where `import cnn_core` works


def spawn(
    module: str, *arguments: str, log: str, when_ended: Callable[[], None] = lambda: None
) -> subprocess.Popen[bytes]:
    """`python -m module` with a pipe to its standard input and its output in the log folder.

    `when_ended` is called from a thread, once the process has ended and while this one lives.
    """
    file = log_file(log)
    file.parent.mkdir(parents=True, exist_ok=True)
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    with file.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONPATH": path},
            start_new_session=True,
            creationflags=APART,
        )
    threading.Thread(target=_bury, args=(child, when_ended), name=f"wait-{child.pid}", daemon=True).start()
    return child


def _bury(child: subprocess.Popen[bytes], when_ended: Callable[[], None]) -> None:
    """Ask for the exit status as soon as there is one: until then the system keeps a zombie."""
    child.wait()
    if child.stdin:
        with suppress(OSError):
            child.stdin.close()
    when_ended()


def log_file(name: str) -> Path:
    """Where a child process writes what it prints."""
    return settings().home / "logs" / f"{name}.log"
