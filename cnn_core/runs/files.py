"""The files of a run: the one object through which everybody reaches them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from cnn_core.errors import UnknownNameError
from cnn_core.into_place import move_into_place
from cnn_core.settings import settings

RUN_ID = re.compile(r"[0-9a-f]{8}")


class RunFiles(Protocol):
    """The files of one run, by name. A reader never sees half a file. Names are this program's, never a stranger's."""

    def names(self) -> list[str]:
        """Of the files there are, sorted."""

    def open(self, name: str) -> Path:
        """A path on this computer to read the file from. Raises FileNotFoundError where there is none."""

    def version(self, name: str) -> str | None:
        """Text that is another one once the file has been written again; None where there is none."""

    def put(self, name: str, save: Callable[[Path], Any]) -> None:
        """Write a file: `save` writes to the path it is given. The old one stays where that fails."""

    def append(self, name: str, text: str) -> None:
        """Add text in UTF-8 to the end of a file."""

    def rename(self, name: str, new: str) -> None:
        """Give a file another name, in place of what had it. Raises FileNotFoundError where there is none."""

    def delete(self, *names: str) -> None:
        """Remove these files, where they are there; without names all of them."""


class LocalRunFiles:
    """In a folder of the data folder, which the first write makes. Raises UnknownNameError for what is no run's id."""

    def __init__(self, run_id: str):
        if not RUN_ID.fullmatch(run_id):
            raise UnknownNameError(f"{run_id!r} is not a run's id: eight characters out of 0-9 and a-f.")
        self.folder = settings().runs / run_id

    def names(self) -> list[str]:
        try:
            return sorted(path.name for path in self.folder.iterdir() if not path.name.endswith(".part"))
        except FileNotFoundError:
            return []

    def open(self, name: str) -> Path:
        path = self.folder / name
        if not path.is_file():
            raise FileNotFoundError(2, "No such file", str(path))
        return path

    def version(self, name: str) -> str | None:
        try:
            found = (self.folder / name).stat()
        except OSError:
            return None
        return f"{found.st_mtime_ns}-{found.st_size}"

    def put(self, name: str, save: Callable[[Path], Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self._draft(name)
        try:
            save(draft)
            move_into_place(draft, self.folder / name)
        except BaseException:
            draft.unlink(missing_ok=True)  # half a file on a full disk takes the room of a whole one
            raise

    def append(self, name: str, text: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / name).open("a", encoding="utf-8") as file:
            file.write(text)

    def rename(self, name: str, new: str) -> None:
        move_into_place(self.open(name), self.folder / new)

    def delete(self, *names: str) -> None:
        if not names:
            shutil.rmtree(self.folder, ignore_errors=True)
        for name in names:
            (self.folder / name).unlink(missing_ok=True)
            self._draft(name).unlink(missing_ok=True)  # of a process that was killed while it wrote

    def _draft(self, name: str) -> Path:
        return self.folder / f".{name}.part"


def run_ids() -> list[str]:
    """Of all runs that have files, whether the store knows them or not."""
    if not settings().runs.is_dir():
        return []
    return sorted(path.name for path in settings().runs.iterdir() if RUN_ID.fullmatch(path.name))
