"""Which weights a network begins with, as one line of text that reads well in an address, a file and a table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from cnn_core.errors import RecipeError

FRESH = "fresh"
FORM = re.compile(
    r"(?P<fresh>fresh)|run (?P<run>[0-9a-f]{8})(?: epoch (?P<epoch>\d{1,4}))?|packaged (?P<packaged>[a-z0-9_]{1,60})"
)


@dataclass(frozen=True)
class StartingWeights:
    """`name`: id of the run, or name of the packaged set. `epoch`: of the run, None for its best."""

    source: Literal["fresh", "run", "packaged"]
    name: str = ""
    epoch: int | None = None

    def __str__(self) -> str:
        if self.source == "fresh":
            return FRESH
        return f"{self.source} {self.name}" + ("" if self.epoch is None else f" epoch {self.epoch}")


def read_start(text: str) -> StartingWeights:
    """Raises RecipeError for what is none of the forms."""
    found = FORM.fullmatch(text)
    if found is None:
        raise RecipeError(
            f"network.start: {text[:60]!r} names no weights. Write fresh, run 0123abcd, run 0123abcd epoch 3, or "
            "packaged and a name."
        )
    if found["run"]:
        return StartingWeights("run", found["run"], int(found["epoch"]) if found["epoch"] else None)
    return StartingWeights("packaged", found["packaged"]) if found["packaged"] else StartingWeights("fresh")
