"""Strangers' images become a data set of the catalogue: decoded once, made square, split, and reported on."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnn_core.cores import usable_cores
from cnn_core.data.catalogue import versions
from cnn_core.data.catalogue.drafts import drafted, id_of
from cnn_core.data.catalogue.library import Progress
from cnn_core.data.dataset import IMAGES, SPLITS, ImageDataset, append_images, finish
from cnn_core.data.decode import decode, fit, how_scaled, original_size
from cnn_core.data.incoming.archives.archive import Entry, Files
from cnn_core.data.incoming.import_figures import Known, first_reasons, report_figures
from cnn_core.data.incoming.import_spec import ImportReport, ImportSpec
from cnn_core.data.incoming.labels.layout import Layout
from cnn_core.data.splits import make_splits
from cnn_core.errors import ImageError, PlaygroundError

CHUNK_FILES, CHUNK_BYTES = 256, 32 * 2**20  # read before they are decoded together
COLOURFUL = 2.0  # grey values: an image whose channels differ by less on average is grey
LUMA = np.array([299, 587, 114], np.uint32)  # ITU-R 601-2, as Pillow; in thousandths

Image = tuple[NDArray[np.uint8], int, int, str]  # (C, S, S), width and height of the original, how it was scaled


def import_images(
    files: Files,
    layout: Layout,
    spec: ImportSpec,
    name: str,
    *,
    made_by: str = "",
    onto: str = "",
    progress: Callable[[Progress], None] = lambda progress: None,
) -> ImportReport:
    """Decode the files of the layout, and add them to the catalogue as a data set called `name`.

    `onto`: a data set whose images come first, each in the split it has; its size, fit and channels are taken over,
    and images that it has already are left out. Raises PlaygroundError; nothing is left then, nor
    when it is interrupted.
    """
    began = time.monotonic()
    with nullcontext(versions.about(onto).name) if onto else versions.reserved(name) as name, drafted() as folder:
        report = _Import(folder, files, layout, spec, onto, progress).run()
        known = versions.add(folder, name, made_by, parent=onto, note=f"{report.added:,} added." if onto else "")
    report.dataset, report.title, report.content_hash = known.id, known.title, known.content_hash
    report.seconds = round(time.monotonic() - began, 2)
    (versions.folder_of(known) / versions.REPORT).write_text(json.dumps(asdict(report)), "utf-8")
    return report


class _Import:
    """One import at work in the folder of a draft."""

    def __init__(
        self,
        folder: Path,
        files: Files,
        layout: Layout,
        spec: ImportSpec,
        onto: str,
        progress: Callable[[Progress], None],
    ):
        self.folder, self.files, self.layout = folder, files, layout
        self.progress = progress
        self.base = versions.open_version(versions.about(onto)) if onto else None
        if self.base:
            colour = "greyscale" if self.base.shape[0] == 1 else "rgb"
            chosen = {"size": self.base.image_size, "fit": self.base.fit, "colour": colour, "copies": "leave_out"}
            spec = spec.model_copy(update=chosen)
        self.spec, self.channels = spec, 1 if spec.colour == "greyscale" else 3
        old = self.base.classes if self.base else ()
        named = {labelled.class_name for labelled in layout.files.values()}
        self.classes = (*old, *sorted(named - set(old)))
        self._numbers = {name: number for number, name in enumerate(self.classes)}
        self.known, self.report = Known(), ImportReport()

    @property
    def _shape(self) -> tuple[int, int, int]:
        return self.channels, self.spec.size, self.spec.size

    def run(self) -> ImportReport:
        """Everything but the shelving."""
        self.report.found = len(self.layout.files)
        for path, reason in self.layout.ignored.items():
            self.report.skip(reason, path)
        for _ in append_images(self.folder, self._shape, self._chunks()):
            pass
        classes, labels = self._used_classes()
        if self.spec.colour == "auto" and not self.known.colourful:
            self._make_grey()
        splits = self._splits(labels)
        self.report.shape = list(self._shape)
        self.report.colour = self._colour_sentence(len(labels))
        report_figures(self.report, self.known, classes, labels, splits)
        finish(self.folder, id_of(self.folder), labels, classes, splits, self.spec.fit)
        items = {"file": self.known.files, "width": self.known.widths, "height": self.known.heights}
        (self.folder / versions.ITEMS).write_text(json.dumps(items), "utf-8")
        return self.report

    # Images

    def _chunks(self) -> Iterator[NDArray[np.uint8]]:
        if self.base:
            yield from self._base_images(self.base)
        done, total = 0, len(self.layout.files)
        with ThreadPoolExecutor(usable_cores()) as pool:  # Pillow decodes without the interpreter's lock
            for chunk in self._read():
                decoded = list(pool.map(self._see, *zip(*chunk, strict=True)))
                for (entry, _), image in zip(chunk, decoded, strict=True):
                    if isinstance(image, ImageError):
                        self.report.skip(image.reason, entry.path)
                kept = [
                    image[0]
                    for (entry, _), image in zip(chunk, decoded, strict=True)
                    if not isinstance(image, ImageError) and self._keep(entry.path, *image)
                ]
                if kept:
                    yield np.stack(kept)
                done += len(chunk)
                self.progress(Progress("importing", done, total, "images"))

    def _read(self) -> Iterator[list[tuple[Entry, bytes | ImageError]]]:
        chunk: list[tuple[Entry, bytes | ImageError]] = []
        size = 0
        for entry, data in self.files.read(self.layout.files):
            chunk.append((entry, data))
            size += len(data) if isinstance(data, bytes) else 0
            if len(chunk) >= CHUNK_FILES or size >= CHUNK_BYTES:
                yield chunk
                chunk, size = [], 0
        if chunk:
            yield chunk

    def _see(self, entry: Entry, data: bytes | ImageError) -> Image | ImageError:
        if isinstance(data, ImageError):
            return data
        try:
            image = decode(data, entry.path)
        except ImageError as error:
            return error
        pixels = fit(image, self.channels, self.spec.size, self.spec.fit)
        return pixels, *original_size(image), how_scaled(image)

    def _keep(self, path: str, pixels: NDArray[np.uint8], width: int, height: int, scaled: str) -> bool:
        """Note what is known of an image; False when it is left out."""
        labelled = self.layout.files[path]
        label = self._numbers[labelled.class_name]
        twins = self.known.digests.setdefault((_digest(pixels), label), [])
        if twins and self.spec.copies == "leave_out":
            self.report.copies["left_out"] += 1
            self.report.skip("It is there already, pixel by pixel.", path)
            return False
        self.known.colourful += self.channels == 3 and _is_colourful(pixels)
        self._append(twins, path, width, height, label, labelled.split)
        self.report.added += 1
        if scaled:
            self.report.scaled[scaled] = self.report.scaled.get(scaled, 0) + 1
        return True

    def _append(self, twins: list[int], path: str, width: int, height: int, label: int, split: str | None) -> None:
        known = self.known
        twins.append(len(known.labels))
        known.files.append(path)
        known.widths.append(width)
        known.heights.append(height)
        known.labels.append(label)
        known.splits.append(split)

    def _base_images(self, base: ImageDataset) -> Iterator[NDArray[np.uint8]]:
        """The images that were there before; they keep their split."""
        origins = versions.items(base.folder)
        count = len(base.labels)
        splits = np.empty(count, object)
        for split in SPLITS:
            splits[base.splits[split]] = split
        for start in range(0, count, CHUNK_FILES):
            chunk = base.images[start : start + CHUNK_FILES]
            for place, pixels in enumerate(chunk, start):
                label = int(base.labels[place])
                twins = self.known.digests.setdefault((_digest(pixels), label), [])
                file, width, height = (
                    origins[key][place] if origins[key] else 0 for key in ("file", "width", "height")
                )
                self._append(twins, str(file or ""), int(width), int(height), label, str(splits[place]))
            yield chunk

    def _make_grey(self) -> None:
        """Three equal channels become one, in a file of its own that takes the place of the first."""
        images = np.load(self.folder / IMAGES, mmap_mode="r")
        grey = self.folder / "grey"
        grey.mkdir()
        parts = (images[at : at + CHUNK_FILES] for at in range(0, len(images), CHUNK_FILES))
        self.channels = 1
        for _ in append_images(grey, self._shape, (_luma(part) for part in parts)):
            pass
        del images, parts  # Windows moves no file onto one that is mapped
        os.replace(grey / IMAGES, self.folder / IMAGES)
        grey.rmdir()

    # The report

    def _used_classes(self) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        """The classes that have images, and the labels counted in them."""
        labels = np.array(self.known.labels, np.int64)
        used, renumbered = np.unique(labels, return_inverse=True)
        if len(used) < 2:
            found = f"only images of {self.classes[used[0]]}" if len(used) else "no image"
            raise PlaygroundError(
                f"A data set needs images of at least two classes: {found} could be read. " + first_reasons(self.report)
            )
        return tuple(self.classes[label] for label in used), renumbered.astype(np.int64)

    def _splits(self, labels: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
        """Splits of folders and of earlier images stay; the others are drawn."""
        spec, given = self.spec, np.array(self.known.splits, object)
        free = np.flatnonzero(given == None)  # noqa: E711 - an array of objects
        fractions = spec.validation, spec.test, spec.seed
        if 0 < len(free) < len(given):
            for split, places in make_splits(labels[free], None, None, *fractions, least=0).items():
                given[free[places]] = split
        marks = {split: given == split for split in ("test", "validation")}
        fixed = {split: mark if mark.any() else None for split, mark in marks.items()}
        splits = make_splits(labels, fixed["test"], fixed["validation"], *fractions)
        if not all(len(splits[split]) for split in SPLITS):
            raise PlaygroundError(
                f"{len(labels)} images of {len(np.unique(labels))} classes are too few to be split into training, "
                "validation and test when every class keeps one for training. Add more images."
            )
        return splits

    def _colour_sentence(self, count: int) -> str:
        if self.base:
            return f"{'RGB' if self.channels == 3 else 'Greyscale'}, as the images before."
        if self.spec.colour != "auto":
            return f"{'RGB' if self.channels == 3 else 'Greyscale'}, as chosen."
        if self.channels == 1:
            return "Greyscale: not one image has colours."
        return f"RGB: {self.known.colourful:,} of {count:,} images have colours."


def _digest(pixels: NDArray[np.uint8]) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(pixels).data, digest_size=16).digest()


def _is_colourful(pixels: NDArray[np.uint8]) -> bool:
    low, high = pixels.min(0), pixels.max(0)
    return float((high - low).mean()) > COLOURFUL


def _luma(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 (N, 3, H, W) as (N, 1, H, W); equal channels stay what they are."""
    return ((np.tensordot(images, LUMA, ((1,), (0,)))[:, None] + 500) // 1000).astype(np.uint8)
