"""Where advice gathers."""

from __future__ import annotations

from collections.abc import Sequence

from cnn_core.models.doctor.finding import Finding
from cnn_core.models.doctor.repair import Edit, Repair
from cnn_core.models.tree import Layers, Path


class Advised:
    """Findings in `findings`, one of a code at a layer, however often that is passed."""

    def __init__(self, layers: Layers):
        self.layers = layers
        self.findings: dict[tuple[Path, str], Finding] = {}

    def add(self, path: Path, code: str, sentence: str, *repairs: tuple[str, Sequence[Edit]]) -> None:
        """`repairs` are titles with their edits."""
        offered = tuple(Repair(title, tuple(edits), self.layers) for title, edits in repairs)
        self.findings.setdefault((path, code), Finding(path, "advice", code, sentence, offered))
