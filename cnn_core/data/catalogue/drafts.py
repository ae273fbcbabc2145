"""Folders in which a data set is made, until it is whole and is added to the catalogue."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from cnn_core.settings import settings

PREFIX = "own-"
PARTIAL = ".partial"  # of a folder that is being filled


@contextmanager
def drafted() -> Iterator[Path]:
    """A folder to fill with a whole data set and then to `shelve`; unless that is done it is gone at the end."""
    versions = settings().datasets
    versions.mkdir(parents=True, exist_ok=True)
    for left in versions.glob(f"{PREFIX}*{PARTIAL}"):
        _sweep(left)
    partial = versions / f"{PREFIX}{secrets.token_hex(4)}{PARTIAL}"
    lock = _lock(partial)
    with lock:
        partial.mkdir()
        try:
            yield partial
        finally:
            _remove(partial, lock)


def id_of(draft: Path) -> str:
    """The name that recipes will use for what is drafted in a folder."""
    return draft.name.removesuffix(PARTIAL)


def _sweep(partial: Path) -> None:
    """Remove a draft whose process was killed; one that is alive holds the lock."""
    lock = _lock(partial)
    try:
        with lock.acquire(timeout=0):
            _remove(partial, lock)
    except Timeout:
        pass


def _remove(partial: Path, lock: FileLock) -> None:
    shutil.rmtree(partial, ignore_errors=True)
    with suppress(OSError):  # Windows removes no open file
        os.unlink(lock.lock_file)


def _lock(partial: Path) -> FileLock:
    return FileLock(partial.with_suffix(".lock"))
