"""A finished file takes the place of the one that readers see."""

from __future__ import annotations

import os
import time
from pathlib import Path

TRIES, PAUSE_SECONDS = 20, 0.05


def move_into_place(draft: Path, path: Path) -> None:
    """`os.replace`; where Windows refuses it, as somebody reads the old file at this moment, again for a second."""
    for left in reversed(range(TRIES)):
        try:
            os.replace(draft, path)
            return
        except PermissionError:
            if os.name != "nt" or not left:
                raise
            time.sleep(PAUSE_SECONDS)
