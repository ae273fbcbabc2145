"""What the doctor finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cnn_core.models.doctor.repair import Repair
from cnn_core.models.tree import Path

Severity = Literal["error", "advice"]


@dataclass(frozen=True)
class Finding:
    """One thing that cannot work, or that works and is unwise."""

    path: Path  # of the layer; () is the network as a whole
    severity: Severity  # "error": it cannot work; "advice": legal, but unwise
    code: str  # a short stable name, such as "kernel_too_large"
    sentence: str  # what comes in and what is expected, or why it is unwise
    repairs: tuple[Repair, ...]  # at least one, the most plausible first
    image_size: int = 0  # side in pixels of the images the network was made for, where that would help too; 0: none
