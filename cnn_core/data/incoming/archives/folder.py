"""A folder of the server's own disk, with the same rules as an archive."""

from __future__ import annotations

import os
import stat
from collections.abc import Container, Iterator
from pathlib import Path

from cnn_core.data.decode import shown_name
from cnn_core.data.incoming.archives.names import Names, safe_path
from cnn_core.data.incoming.archives.rules import LINK, Allowance, Entry
from cnn_core.errors import ArchiveError, ImageError

# A link or pipe that took a file's place since it was listed is neither followed nor waited for.
PLAIN = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class FolderFiles:
    """The files of a folder, sorted by name; see `Files`. Links, pipes and devices are left out."""

    def __init__(self, folder: Path) -> None:
        self._places: list[tuple[Entry, Path]] = []
        self._skipped: dict[str, str] = {}
        self._list(folder, "", Names(), Allowance())
        if not self._places:
            raise ArchiveError(f"The folder {shown_name(folder.name)} is empty. Choose a folder with images.")

    def entries(self) -> list[Entry]:
        return [entry for entry, _ in self._places]

    def skipped(self) -> dict[str, str]:
        return dict(self._skipped)

    def encodings(self) -> tuple[str, ...]:
        return ()

    def read(self, wanted: Container[str] | None = None) -> Iterator[tuple[Entry, bytes | ImageError]]:
        allowance = Allowance()
        for entry, place in self._places:
            if wanted is None or entry.path in wanted:
                yield entry, _content(entry, place, allowance)

    def _list(self, folder: Path, above: str, names: Names, allowance: Allowance) -> None:
        for item in _items(folder, allowance):
            path = safe_path(f"{above}{item.name}")
            if item.is_symlink():
                self._skipped[path] = LINK
            elif item.is_dir(follow_symlinks=False):
                names.add(path, folder=True)
                self._list(Path(item.path), f"{path}/", names, allowance)
            elif item.is_file(follow_symlinks=False):
                size = _size(item)
                allowance.add_bytes(size)
                names.add(path)
                self._places.append((Entry(path, size), Path(item.path)))
            else:
                self._skipped[path] = "It is a pipe or device and no file."


def _items(folder: Path, allowance: Allowance) -> list[os.DirEntry[str]]:
    """What lies in a folder, sorted by name."""
    items = []
    try:
        with os.scandir(folder) as found:
            for item in found:
                allowance.add_file()
                items.append(item)
    except OSError:
        raise ArchiveError(f"The folder {shown_name(folder.name)} cannot be read. Choose another.") from None
    return sorted(items, key=lambda item: item.name)


def _size(item: os.DirEntry[str]) -> int:
    try:
        return item.stat(follow_symlinks=False).st_size
    except OSError:  # it went away; reading it will say so
        return 0


def _content(entry: Entry, place: Path, allowance: Allowance) -> bytes | ImageError:
    most = allowance.limits.upload_megabytes * 1_000_000
    try:
        with open(os.open(place, PLAIN), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise OSError
            data = file.read(most + 1)
            size = max(len(data), os.fstat(file.fileno()).st_size)
    except OSError:
        return ImageError(f"{shown_name(entry.path)} cannot be read. Check whether it is still there.")
    allowance.add_bytes(len(data))
    return allowance.too_large(entry.path, size) or data
