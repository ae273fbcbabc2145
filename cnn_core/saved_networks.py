"""Which saved network the layers of a recipe came from, as one line of text in the place of a preset's name.

It holds the saved name and a digest of the saved layers: whether layers are still those can be told without the
database, on another installation too, and after the network was renamed or deleted.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cnn_core.spec import Part

FORM = re.compile(r"saved (?P<digest>[0-9a-f]{8}) (?P<name>.{1,80})")


@dataclass(frozen=True)
class SavedName:
    """A name under which a network was saved, and the digest of the layers that had it."""

    name: str
    digest: str

    def __str__(self) -> str:
        return f"saved {self.digest} {self.name}"


def read_saved(preset: str) -> SavedName | None:
    """None for what names no saved network."""
    found = FORM.fullmatch(preset)
    return SavedName(found["name"], found["digest"]) if found and preset.isprintable() else None


def digest_of(layers: Sequence[Part]) -> str:
    """The first 8 hexadecimal digits of the SHA-256 of the layers' JSON, in which 1.0 is 1."""
    values = [_plain(layer.model_dump(mode="json")) for layer in layers]
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
