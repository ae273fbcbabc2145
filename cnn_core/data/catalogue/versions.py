"""The data sets that people imported: each version is a folder of its own whose images never change."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnn_core.data.catalogue.drafts import PREFIX, drafted, id_of
from cnn_core.data.catalogue.name_locks import catalogue_held, name_held
from cnn_core.data.catalogue.rescue import SPARE
from cnn_core.data.catalogue.version import (
    ABOUT,
    ITEMS,
    REPORT,
    About,
    folder_of,
    folders,
    items,
    open_version,
    place_before,
    read,
    report,
    write,
)
from cnn_core.data.dataset import SPLITS, ImageDataset, RawImages, append_images, finish
from cnn_core.data.sources.source import DatasetSource
from cnn_core.errors import PlaygroundError, UnknownNameError
from cnn_core.settings import settings

__all__ = ["ITEMS", "REPORT", "About", "drafted", "folder_of", "id_of", "items", "open_version", "report"]

LONGEST_NAME = 80
CHUNK = 512  # images copied at once


def own_datasets() -> list[About]:
    """Every version of every data set that was imported, newest first."""
    found = [read(folder) for folder in folders(f"{PREFIX}*")]
    return sorted((about for about in found if about), key=lambda about: (-about.created, about.id))


def is_known(dataset_id: str) -> bool:
    """Whether there is such a version: one look at its own folder, however many others there are."""
    return _find(dataset_id) is not None


def about(dataset_id: str) -> About:
    """Raises UnknownNameError, listing the known ones."""
    if known := _find(dataset_id):
        return known
    known_ids = ", ".join(f"{known.id} ({known.title})" for known in own_datasets()[:12]) or "none"
    raise UnknownNameError(f"There is no data set called {dataset_id!r}: it may have been deleted. Known: {known_ids}.")


def is_own(name: str) -> bool:
    """Whether a data set's name is that of an imported one."""
    return name.startswith(PREFIX)


def own_source(dataset_id: str) -> DatasetSource:
    """A version as the library and the pages take every data set. Raises UnknownNameError."""
    return source_of(about(dataset_id))


def source_of(known: About) -> DatasetSource:
    by = f" by {known.made_by}" if known.made_by else ""
    return DatasetSource(
        name=known.id,
        title=known.title,
        description=f"Uploaded{by} on {time.strftime('%Y-%m-%d', time.localtime(known.created))}. {known.note}".strip(),
        licence="as its owner says",
        homepage="",
        images=known.images,
        classes=known.classes,
        channels=known.channels,
        size=known.size,
        read=lambda _: _as_raw(open_version(known)),
    )


def add(partial: Path, name: str, made_by: str, parent: str = "", note: str = "") -> About:
    """Add a filled draft to the catalogue: a new data set, or where there is a `parent` the next version of `name`.

    Raises PlaygroundError when the name of a new one is taken.
    """
    dataset = ImageDataset.open(partial)
    about_draft = About(
        id=id_of(partial),
        name=name,
        made_by=made_by,
        parent=parent,
        note=note,
        channels=dataset.shape[0],
        size=dataset.image_size,
        images=len(dataset.labels),
        classes=len(dataset.classes),
        content_hash=dataset.content_hash,
    )
    del dataset  # Windows moves no folder with a file in it that is mapped
    with catalogue_held():
        if not parent:
            free_name(name)
        name = next((known.name for known in own_datasets() if known.id == parent), name)  # renamed meanwhile
        before = max((other.version for other in own_datasets() if other.name == name), default=0)
        known = replace(about_draft, name=name, version=before + 1)
        write(partial, known)
        os.rename(partial, folder_of(known))
    return known


def derive(
    source: ImageDataset,
    title: str,
    *,
    removed: Collection[int] = (),
    relabelled: Mapping[int, int] | None = None,
    made_by: str = "",
) -> About:
    """A new version without the images `removed`, and with new classes (position -> label); `source` stays as it is.

    The other images keep their split. `title` names the first version of a data set that is not
    in the catalogue. Raises PlaygroundError when a split would be left without images.
    """
    relabelled = dict(relabelled or {})
    gone = np.zeros(len(source.labels), bool)
    gone[list(removed)] = True
    labels = source.labels.copy()
    for position, label in relabelled.items():
        labels[position] = label
    kept, place = np.flatnonzero(~gone), np.cumsum(~gone) - 1
    splits = {split: place[source.splits[split][~gone[source.splits[split]]]] for split in SPLITS}
    for split in SPLITS:
        if not len(splits[split]):
            raise PlaygroundError(f"This would leave no {split} image. Remove fewer images.")
    parent = about(source.name) if is_own(source.name) else None
    origins = items(source.folder)
    with drafted() as folder:
        for _ in append_images(folder, source.shape, _in_chunks(source, kept)):
            pass
        finish(folder, id_of(folder), labels[kept], source.classes, splits, source.fit)
        if origins["file"]:
            chosen = {name: [values[place] for place in kept] for name, values in origins.items()}
            (folder / ITEMS).write_text(json.dumps(chosen), "utf-8")
        return add(
            folder,
            parent.name if parent else title,
            made_by or (parent.made_by if parent else ""),
            parent=source.name,
            note=_changes(len(set(removed)), len(set(relabelled) - set(removed))),
        )


@contextmanager
def reserved(name: str) -> Iterator[str]:
    """The name without outer spaces, and nobody else's for the context. Raises PlaygroundError when it is no good or
    taken."""
    clean = free_name(name)
    with name_held(clean):
        yield free_name(clean)  # who held it before may have used it


def rename(dataset_id: str, name: str) -> None:
    """Give every version of a data set another name. Raises PlaygroundError when it is no good or taken."""
    old = about(dataset_id).name
    with nullcontext(old) if name.strip() == old else reserved(name) as new, catalogue_held():
        for known in own_datasets():
            if known.name == old:
                write(folder_of(known), replace(known, name=new))


def count_look(dataset_id: str) -> int:
    """Note that somebody looked at the test images; returns how often that was done."""
    known = about(dataset_id)
    write(folder_of(known), replace(known, looks=known.looks + 1))
    return known.looks + 1


def delete(dataset_id: str) -> None:
    """Remove a version from the catalogue, at every size. The caller makes sure that no run uses it."""
    home = folder_of(about(dataset_id))
    for name in (ABOUT, f"{SPARE}/{ABOUT}", REPORT):  # what cannot be listed cannot be opened half deleted
        (home / name).unlink(missing_ok=True)
    for folder in settings().datasets.glob(f"{dataset_id}-*"):
        shutil.rmtree(folder, ignore_errors=True)
    (settings().datasets / f"{dataset_id}.lock").unlink(missing_ok=True)


def free_name(name: str) -> str:
    """The name without outer spaces. Raises PlaygroundError when it is empty, too long, not printable or taken."""
    clean = name.strip()
    if not clean or len(clean) > LONGEST_NAME or not clean.isprintable():
        raise PlaygroundError(f"A data set's name has 1 to {LONGEST_NAME} visible characters. Choose another name.")
    if any(known.name == clean for known in own_datasets()):
        raise PlaygroundError(f"There is a data set called {clean} already. Choose another name, or add to it.")
    return clean


def _in_chunks(dataset: ImageDataset, positions: NDArray[np.int64]) -> Iterator[NDArray[np.uint8]]:
    return (dataset.images[positions[at : at + CHUNK]] for at in range(0, len(positions), CHUNK))


def _changes(removed: int, relabelled: int) -> str:
    words = [f"{count:,} {what}" for count, what in ((removed, "removed"), (relabelled, "relabelled")) if count]
    return f"{' and '.join(words)}.".capitalize() if words else ""


def _as_raw(dataset: ImageDataset) -> RawImages:
    return RawImages(dataset.images, dataset.labels, dataset.classes, splits=dataset.splits, fit=dataset.fit)


def _find(dataset_id: str) -> About | None:
    if not re.fullmatch(rf"{PREFIX}[0-9a-f]{{8}}", dataset_id):
        return None
    return next((known for folder in _places_of(dataset_id) if (known := read(folder))), None)


def _places_of(dataset_id: str) -> Iterator[Path]:
    """Where a version may be: the place it was read from before, then whatever the folder of data sets has."""
    before = place_before(dataset_id)
    yield from [before] if before and before.parent == settings().datasets else []
    yield from folders(f"{dataset_id}-*")
