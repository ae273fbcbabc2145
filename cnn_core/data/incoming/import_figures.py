"""The figures of an import's report, from what became known of each image."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cnn_core.data.dataset import SPLITS
from cnn_core.data.incoming.import_spec import ImportReport

FEW = 10  # images: a class with fewer is pointed out
GROUPS = 100  # of copies that a report names


@dataclass
class Known:
    """What is known of each image so far, by position."""

    files: list[str] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    heights: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    splits: list[str | None] = field(default_factory=list)
    digests: dict[tuple[bytes, int], list[int]] = field(default_factory=dict)  # of pixels, and class -> positions
    colourful: int = 0


def report_figures(
    report: ImportReport,
    known: Known,
    classes: tuple[str, ...],
    labels: NDArray[np.int64],
    splits: dict[str, NDArray[np.int64]],
) -> None:
    """Put what is kept per class and split, small classes, sizes of the originals and copies into the report."""
    counts = {split: np.bincount(labels[splits[split]], minlength=len(classes)) for split in SPLITS}
    report.kept = {name: {split: int(counts[split][label]) for split in SPLITS} for label, name in enumerate(classes)}
    report.few = [name for name in classes if sum(report.kept[name].values()) < FEW]
    report.untested = [name for name in classes if not report.kept[name]["test"]]
    sizes = np.array([pair for pair in zip(known.widths, known.heights, strict=True) if pair[0]]).reshape(-1, 2)
    if len(sizes):
        order = np.argsort(sizes.prod(1), kind="stable")
        places = {"smallest": order[0], "median": order[len(order) // 2], "largest": order[-1]}
        report.originals = {name: sizes[place].tolist() for name, place in places.items()}
    same: dict[bytes, list[int]] = {}
    for (digest, _), positions in known.digests.items():
        same.setdefault(digest, []).extend(positions)
    groups = [sorted(positions) for positions in same.values() if len(positions) > 1]
    report.copies["count"] = sum(len(positions) - 1 for positions in groups)
    report.copies["groups"] = [[known.files[position] for position in positions] for positions in groups[:GROUPS]]


def first_reasons(report: ImportReport) -> str:
    """A sentence on what was left out and why, "" when nothing was."""
    parts = [f"{entry['count']} × {reason} ({entry['files'][0]})" for reason, entry in report.skipped.items()]
    return f"Left out: {'; '.join(parts[:4])}." if parts else ""
