"""Who may give a data set which name: processes that do so at the same time must not make one set of two."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from filelock import FileLock, Timeout

from cnn_core.errors import PlaygroundError
from cnn_core.settings import settings


@contextmanager
def name_held(name: str) -> Iterator[None]:
    """Nobody else is given the name meanwhile. Raises PlaygroundError when somebody else holds it."""
    lock = _lock(f"name-{hashlib.blake2b(name.encode(), digest_size=12).hexdigest()}")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise PlaygroundError(
            f"A data set called {name} is being made at this moment. Choose another name, or wait and add to it."
        ) from None
    try:
        yield
    finally:
        with suppress(OSError):  # Windows removes no open file
            os.unlink(lock.lock_file)  # nobody waits for it; and two at once are distinguished by `catalogue_held`
        lock.release()


def catalogue_held() -> FileLock:
    """Held while names and versions in the catalogue are read and written; others wait."""
    return _lock("versions")


def _lock(name: str) -> FileLock:
    folder = settings().home / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / f"{name}.lock")
