"""Files that a person names."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cnn_core.errors import PlaygroundError


def read_at_most(path: str | Path, megabytes: int, what: str) -> bytes:
    """A file's bytes. Raises PlaygroundError when it cannot be read or is larger: a device may have no end."""
    most = megabytes * 1_000_000
    try:
        with open(path, "rb") as file:
            content = file.read(most + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        raise PlaygroundError(f"The {what} {path} cannot be read: {_cause(error)}.") from None
    if len(content) > most:
        raise PlaygroundError(f"The {what} {path} has more than {megabytes} MB, the most accepted. Choose another.")
    return content


def require_file_or_folder(path: Path) -> None:
    """Raises PlaygroundError for what is neither, such as a pipe, and for what is not there."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError) as error:
        raise PlaygroundError(f"{path} cannot be read: {_cause(error)}.") from None
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise PlaygroundError(f"{path} is neither a file nor a folder. Name a zip, a tar or a folder of class folders.")


def _cause(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
