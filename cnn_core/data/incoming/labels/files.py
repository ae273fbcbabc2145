"""Finding the file that a cell of a table means."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath


class Finder:
    """Finds files by their path, by the end of their path, or by the same without the file's ending."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = {unicodedata.normalize("NFC", path): path for path in paths}
        self._endings: dict[str, str | None] = {}  # every end of a path -> the path, None where several have it
        self._stems: dict[str, str | None] = {}  # the same without ".jpg"
        for path in self._paths:
            parts = path.split("/")
            suffix = PurePosixPath(path).suffix
            for first in range(len(parts)):
                ending = "/".join(parts[first:])
                for known, key in ((self._endings, ending), (self._stems, ending.removesuffix(suffix))):
                    known[key] = None if key in known else self._paths[path]

    def find(self, cell: str) -> tuple[str, str]:
        """The path and "", or "" and why there is none."""
        name = unicodedata.normalize("NFC", cell).replace("\\", "/").removeprefix("./").strip("/")
        if name in self._paths:
            return self._paths[name], ""
        last = name.rsplit("/", 1)[-1]
        for known, key in ((self._endings, name), (self._endings, last), (self._stems, name), (self._stems, last)):
            if key in known:
                path = known[key]
                return (path, "") if path else ("", "fits several files; write the folder too.")
        return "", "names no image that is there."
