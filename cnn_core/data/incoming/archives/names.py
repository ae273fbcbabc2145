"""The names of a stranger's files: which are accepted, and what they are called from then on."""

from __future__ import annotations

import re
import unicodedata

from cnn_core.data.decode import shown_name
from cnn_core.errors import ArchiveError

LONGEST_PART = 255  # bytes; no ordinary file system keeps longer names
LONGEST_PATH = 1000  # bytes
DEEPEST = 16  # parts
DRIVE = re.compile(r"[A-Za-z]:")
UNSEEN = {"Cc", "Cs", "Zl", "Zp"}  # Unicode's categories of controls, surrogates, line and paragraph separators
TURNING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # they make a name look like another
ENCODED_TWICE = 4  # letters of a decomposed name for each one that is left


def safe_path(name: str) -> str:
    """The name as a relative path: parts joined by "/", composed (NFC), without "." and empty parts.

    A backslash separates like "/". "" means the folder itself. Raises ArchiveError for names that are absolute, climb,
    are too long or too deep, or hold letters that cannot be seen.
    """
    if len(name) > ENCODED_TWICE * LONGEST_PATH:
        raise _refused(name, f"is longer than {LONGEST_PATH} bytes")
    path = unicodedata.normalize("NFC", name)
    if not can_be_shown(path):
        raise _refused(name, "holds letters that cannot be shown or decoded")
    path = path.replace("\\", "/")
    if path.startswith("/") or DRIVE.match(path):
        raise _refused(name, "is absolute and not inside a folder")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise _refused(name, "climbs out of its folder by “..”")
    if len(parts) > DEEPEST:
        raise _refused(name, f"lies more than {DEEPEST} folders deep")
    path = "/".join(parts)
    if len(path.encode()) > LONGEST_PATH:
        raise _refused(name, f"is longer than {LONGEST_PATH} bytes")
    if any(len(part.encode()) > LONGEST_PART for part in parts):
        raise _refused(name, f"has a part longer than {LONGEST_PART} bytes")
    return path


def can_be_shown(text: str) -> bool:
    """Whether there is no letter in it that controls, turns the line, or stands for bytes that were not decoded."""
    return not any(letter in TURNING or unicodedata.category(letter) in UNSEEN for letter in text)


class Names:
    """The paths met so far; one that an ordinary disk could not keep beside them is refused."""

    def __init__(self) -> None:
        self._met: dict[str, str] = {}  # folded -> as written
        self._folders: set[str] = set()

    def add(self, path: str, folder: bool = False) -> None:
        """Note a path and the folders above it; "" is the folder that holds all.

        Raises ArchiveError when a file is there already or has no name, or two paths differ only in capitals.
        """
        if not path:
            if not folder:
                raise ArchiveError("A file in the archive has no name. Pack the folder again.")
            return
        parts = path.split("/")
        if "/".join(parts[:-1]) not in self._folders:
            for depth in range(1, len(parts)):
                self._meet("/".join(parts[:depth]), folder=True)
        self._meet(path, folder)

    def _meet(self, path: str, folder: bool) -> None:
        if folder and path in self._folders:
            return
        folded = unicodedata.normalize("NFC", path.casefold())
        other = self._met.get(folded)
        if other == path:
            raise ArchiveError(f"{shown_name(path)} occurs twice. Keep one and pack again.")
        if other is not None:
            raise ArchiveError(
                f"{shown_name(other)} and {shown_name(path)} differ only in capitals. Rename one and pack again."
            )
        self._met[folded] = path
        if folder:
            self._folders.add(path)


def _refused(name: str, why: str) -> ArchiveError:
    return ArchiveError(f"The name of {shown_name(name)} {why}. Rename it and pack the folder again.")
