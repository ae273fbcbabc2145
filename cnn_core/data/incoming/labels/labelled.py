"""Files with their class and split: the words that the layout of folders and the table of labels share."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from cnn_core.data.decoding import formats
from cnn_core.errors import LayoutError
from cnn_core.settings import settings

ENDINGS = ("", *(f".{ending}" for ending in formats.ENDINGS))  # a file without an ending may be an image too
SPLIT_FOLDERS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
JUNK_FOLDERS = {"__macosx", "$recycle.bin"}
JUNK_FILES = {"thumbs.db", "ehthumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class Labelled:
    """What is known of one image."""

    class_name: str
    split: str | None = None  # "train", "validation", "test"; None where it is not fixed


@dataclass(frozen=True)
class Layout:
    """Which files are images of which class."""

    files: dict[str, Labelled]  # path -> class and split, in the order given
    ignored: dict[str, str]  # path, or "line n of the labels" -> why
    junk: int = 0  # files that systems leave behind, which are not worth a word

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names in plain sorted order, as torchvision's ImageFolder numbers them."""
        return tuple(sorted({labelled.class_name for labelled in self.files.values()}))


def images_among(paths: Sequence[str]) -> tuple[list[str], dict[str, str], int]:
    """The paths that may be images, those that cannot be with the reason, and the number of junk files."""
    images, ignored, junk = [], {}, 0
    for path in paths:
        ending = PurePosixPath(path).suffix.lower()
        if is_junk(path):
            junk += 1
        elif ending in ENDINGS:
            images.append(path)
        else:
            ignored[path] = f"Not an image file ({ending[:20]})." if ending else "Not an image file."
    return images, ignored, junk


def class_name(text: str) -> str:
    """A class as it is called from then on: composed (NFC), without outer spaces."""
    return unicodedata.normalize("NFC", text).strip()


def checked(layout: Layout, expected: str) -> Layout:
    """The layout without classes that have nothing to train on. Raises LayoutError, ending in `expected`."""
    splits = {labelled.split for labelled in layout.files.values()}
    if splits & {"validation", "test"} and not splits & {"train", None}:
        raise LayoutError(f"There are validation or test images but none to train on. Add them under train. {expected}")
    trained = {labelled.class_name for labelled in layout.files.values() if labelled.split in ("train", None)}
    files, ignored = {}, dict(layout.ignored)
    for path, labelled in layout.files.items():
        if labelled.class_name in trained:
            files[path] = labelled
        else:
            ignored[path] = f"Its class {labelled.class_name} has no images to train on."
    found = Layout(files, ignored, layout.junk)
    classes, most = found.classes, settings().import_classes
    if len(classes) > most:
        raise LayoutError(
            f"There are {len(classes):,} classes; at most {most:,} are accepted. Upload fewer. {expected}"
        )
    if len(classes) < 2:
        what = f"Only one class with images was found: {classes[0]}." if classes else "No class with images was found."
        raise LayoutError(f"{what} At least two are needed. {expected}")
    return found


def is_junk(path: str) -> bool:
    parts = path.split("/")
    hidden = any(part.startswith(".") for part in parts)
    return hidden or not JUNK_FOLDERS.isdisjoint(part.lower() for part in parts) or parts[-1].lower() in JUNK_FILES
