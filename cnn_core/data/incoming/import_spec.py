"""What a person chooses when images become a data set, and what they are told afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from cnn_core.data.decode import Fit
from cnn_core.data.splits import SEED, TEST_FRACTION, VALIDATION_FRACTION
from cnn_core.spec import Spec, option

READING = ("encoding", "labels_inside", "label_column")  # asked for only where there is a choice
LISTED = 200  # file names a report keeps for one reason


class ImportSpec(Spec):
    """How images become a data set. The last fields say how to read what came, where that leaves a choice."""

    size: int = option(
        64,
        "Side of the square images. Larger shows more and trains slower; small networks like 28 to 64.",
        ge=28,
        le=256,
        unit="px",
    )
    fit: Fit = option("crop", "How an image becomes square: cropped, padded with black bars, or squashed.")
    colour: Literal["auto", "greyscale", "rgb"] = option(
        "auto", "Greyscale trains faster; auto keeps the colours when any image has some."
    )
    copies: Literal["keep", "leave_out"] = option(
        "keep",
        "What happens to images that are the same, pixel by pixel, as an earlier one of their class.",
        advanced=True,
    )
    validation: float = option(
        VALIDATION_FRACTION,
        "Fraction of the training images that picks the best epoch; unless there is a folder for it.",
        ge=0.02,
        le=0.5,
        advanced=True,
    )
    test: float = option(
        TEST_FRACTION,
        "Fraction of all images kept for the final test; unless there is a folder for it.",
        ge=0.02,
        le=0.5,
        advanced=True,
    )
    seed: int = option(SEED, "Seed of the random split.", ge=0, le=2**31 - 1, advanced=True)
    encoding: Literal["auto", "utf-8", "cp932", "gbk", "euc_kr", "cp437", "cp1252"] = option(
        "auto", "How names in a zip are encoded that does not state it; auto guesses by the names."
    )
    labels_inside: str = option("", "A table of labels among the files; empty where folders are classes.")
    label_column: str = option("", "Column of the table that is the label; empty for the likeliest.")


@dataclass
class ImportReport:
    """What became of every file. Sizes are [width, height] in pixels."""

    dataset: str = ""  # its id
    title: str = ""
    shape: list[int] = field(default_factory=list)  # (C, H, W)
    content_hash: str = ""
    kept: dict[str, dict[str, int]] = field(default_factory=dict)  # class -> split -> images
    added: int = 0
    skipped: dict[str, dict[str, Any]] = field(default_factory=dict)  # reason -> {"count", "files"}
    originals: dict[str, list[int]] = field(default_factory=dict)  # "smallest", "median", "largest"
    colour: str = ""
    scaled: dict[str, int] = field(default_factory=dict)  # how deep values were scaled to 0–255 -> images
    copies: dict[str, Any] = field(default_factory=lambda: {"count": 0, "left_out": 0, "groups": []})
    few: list[str] = field(default_factory=list)
    untested: list[str] = field(default_factory=list)  # classes without a test image
    found: int = 0  # images of a class before they were decoded: what was added and what of them was skipped
    seconds: float = 0.0

    def skip(self, reason: str, file: str) -> None:
        entry = self.skipped.setdefault(reason, {"count": 0, "files": []})
        entry["count"] += 1
        if len(entry["files"]) < LISTED:
            entry["files"].append(file)
