"""One version of a data set that was imported: what is known of it, and its files."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cnn_core.data.catalogue.drafts import PARTIAL
from cnn_core.data.catalogue.rescue import SPARE, Shape, descriptions, is_whole, keep_spare, mend, read_object
from cnn_core.data.dataset import ImageDataset
from cnn_core.errors import DatasetUnavailableError
from cnn_core.into_place import move_into_place
from cnn_core.settings import settings

ABOUT, ITEMS, REPORT = "about.json", "items.json", "report.json"
MOST_KEPT = 4096  # descriptions in memory

_kept: dict[Path, tuple[tuple[int, int, int], About]] = {}  # folder -> when it was described, and how
_places: dict[str, Path] = {}  # id -> its folder


@dataclass(frozen=True, kw_only=True)
class About:
    """What is known of one version of a data set besides its images."""

    id: str  # "own-" and eight hexadecimal digits: the name a recipe uses
    name: str
    made_by: str = ""
    created: float = field(default_factory=time.time)  # Unix seconds
    version: int = 1
    parent: str = ""  # the data set it was made from
    note: str = ""  # what was changed
    channels: int
    size: int  # side of the square images in pixels
    images: int
    classes: int
    content_hash: str
    looks: int = 0  # how often its test images were looked at

    @property
    def title(self) -> str:
        return self.name if self.version == 1 else f"{self.name} · v{self.version}"

    @property
    def shape(self) -> Shape:
        return Shape(self.title, self.images, self.channels, self.size, self.content_hash)


def folder_of(known: About) -> Path:
    """The folder with the images of a version, in the library's own layout."""
    return settings().datasets / f"{known.id}-{known.size}"


def open_version(known: About) -> ImageDataset:
    """Its images; damage that the copies of its small files can mend is mended.

    Raises DamagedDatasetError with what can be recovered.
    """
    folder = folder_of(known)
    try:
        dataset = ImageDataset.open(folder)
    except DatasetUnavailableError:
        dataset = mend(folder, known.shape)
    if not is_whole(read_object(folder / ABOUT)):
        with suppress(OSError):  # a disk that takes nothing: the copy does for now
            write(folder, known)
    return dataset


def items(folder: Path) -> dict[str, list[Any]]:
    """What is known of each image, by position: "file" (its name before the import), "width", "height" (pixels of the
    original). Empty lists where nothing is known, as for data sets that were not imported."""
    stored = read_object(folder / ITEMS)
    lists = {name: stored.get(name) for name in ("file", "width", "height")}
    known = [values for values in lists.values() if isinstance(values, list)]
    if len(known) < len(lists) or len(set(map(len, known))) > 1:
        return {name: [] for name in lists}
    return dict(zip(lists, known, strict=True))


def report(folder: Path) -> dict[str, Any]:
    """The report of the import, {} where there was none."""
    return read_object(folder / REPORT)


def folders(pattern: str) -> list[Path]:
    """Folders of versions; a description that is missing may be there a second time, or follow from the report."""
    described = (ABOUT, f"{SPARE}/{ABOUT}", REPORT)
    found = (folder for folder in settings().datasets.glob(pattern) if folder.suffix != PARTIAL)
    return sorted(folder for folder in found if any((folder / name).is_file() for name in described))


def place_before(dataset_id: str) -> Path | None:
    """The folder in which a version was found last."""
    return _places.get(dataset_id)


def read(folder: Path) -> About | None:
    """Read again only what was written since, in whatever process: writing puts another file in its place."""
    written = None
    with suppress(OSError):
        status = (folder / ABOUT).stat()
        written = status.st_mtime_ns, status.st_ino, status.st_size
    if written and (kept := _kept.get(folder)) and kept[0] == written:
        return kept[1]
    _kept.pop(folder, None)
    for values in descriptions(folder):
        try:
            known = About(**values)
        except (TypeError, ValueError):
            continue
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
            _places.clear()
        _places[known.id] = folder
        if written:
            _kept[folder] = written, known
        return known
    return None


def write(folder: Path, known: About) -> None:
    keep_spare(folder)
    for place in (folder / SPARE, folder):
        draft = place / f"{ABOUT}.draft"
        draft.write_text(json.dumps(asdict(known), indent=2), "utf-8")
        move_into_place(draft, place / ABOUT)
