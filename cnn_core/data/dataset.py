"""A data set on disk: one uint8 tensor of square images, memory-mapped, with labels, classes and fixed splits."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnn_core.data.decode import Fit, fit
from cnn_core.errors import DatasetUnavailableError

SPLITS = ("train", "validation", "test")
CHUNK = 4 * 2**20  # bytes of pixels read, written or counted at once
META, IMAGES = "meta.json", "images.npy"


@dataclass(frozen=True, eq=False)
class RawImages:
    """What a source hands over, before it is resized to one size.

    images: uint8 (N, C, H, W), or N images one after the other. labels: integers (N,), indices into classes.
    is_test: bool (N,), or None where the source has no test images of its own. splits: where they are fixed already.
    fit: how images become square.
    """

    images: NDArray[np.uint8] | Iterable[Image.Image]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    is_test: NDArray[np.bool_] | None = None
    splits: dict[str, NDArray[np.int64]] | None = None
    fit: Fit = "crop"


@dataclass(frozen=True, eq=False)
class ImageDataset:
    """An imported data set. `images` is a memory map whose changes never reach the disk: leave it as it is."""

    name: str
    image_size: int  # side of the square images in pixels
    images: NDArray[np.uint8]  # (N, C, H, W)
    labels: NDArray[np.int64]  # (N,), indices into classes
    classes: tuple[str, ...]
    splits: dict[str, NDArray[np.int64]]  # "train", "validation", "test": sorted, disjoint, covering all
    content_hash: str  # SHA-256 in hex over shape, pixels, labels, class names and splits
    mean: tuple[float, ...]  # per channel over the train split, of value / 255
    std: tuple[float, ...]
    folder: Path
    fit: Fit = "crop"  # how its images were made square, for new ones to be seen the same way

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one image."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    @classmethod
    def open(cls, folder: Path) -> ImageDataset:
        """The data set that `write` left in `folder`. Raises DatasetUnavailableError when it is missing or damaged."""
        try:
            meta = json.loads((folder / META).read_text("utf-8"))
            opened = cls(
                name=meta["name"],
                image_size=meta["image_size"],
                images=np.load(folder / IMAGES, mmap_mode="c"),  # torch takes no read-only array
                labels=_load(folder / "labels.npy"),
                classes=tuple(meta["classes"]),
                splits={split: _load(folder / f"{split}.npy") for split in SPLITS},
                content_hash=meta["content_hash"],
                mean=tuple(meta["mean"]),
                std=tuple(meta["std"]),
                folder=folder,
                fit=meta.get("fit", "crop"),
            )
            opened._check()
            return opened
        except Exception:  # numpy raises what it meets in damaged bytes
            raise DatasetUnavailableError(
                f"The imported images in {folder} are missing or damaged. Delete that folder and try again."
            ) from None

    def _check(self) -> None:
        """Raises ValueError when its files do not belong together."""
        count = len(self.images)
        places = np.concatenate([self.splits[split] for split in SPLITS])
        once = len(places) == count and np.array_equal(np.bincount(places, minlength=count), np.ones(count))
        in_range = len(self.labels) == count > 0 and 0 <= self.labels.min() <= self.labels.max() < len(self.classes)
        if self.images.ndim != 4 or self.images.dtype != np.uint8 or not once or not in_range:
            raise ValueError("the files do not belong together")


def write(
    folder: Path, name: str, shape: tuple[int, int, int], raw: RawImages, splits: dict[str, NDArray[np.int64]]
) -> Iterator[int]:
    """Write `raw` into the existing `folder` as images of `shape` (C, H, H); yields the number of images done so far.

    The folder is complete only when the iterator is exhausted. Raises ValueError when labels and images do not match.
    """
    done = 0
    for done in append_images(folder, shape, _chunks(raw, shape)):
        yield done
    if done != len(raw.labels):
        raise ValueError(f"{name}: {done} images, {len(raw.labels)} labels")
    finish(folder, name, raw.labels, raw.classes, splits, raw.fit)


def append_images(folder: Path, shape: tuple[int, int, int], chunks: Iterable[NDArray[np.uint8]]) -> Iterator[int]:
    """Write chunks uint8 (n, *shape) one after the other to the folder's image file; yields the images done so far.

    Plain writing and no map, so that what is written does not count as this process's memory.
    """
    done, header = 0, {"descr": "|u1", "fortran_order": False}
    with (folder / IMAGES).open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header | {"shape": (0, *shape)})
        start = file.tell()
        for chunk in chunks:
            file.write(np.ascontiguousarray(chunk).data)
            done += len(chunk)
            yield done
        file.seek(0)
        np.lib.format.write_array_header_1_0(file, header | {"shape": (done, *shape)})
        if file.tell() != start:  # numpy leaves room for the first axis to grow
            raise ValueError(f"the header of {file.name} grew")


def finish(
    folder: Path,
    name: str,
    labels: NDArray[np.int64],
    classes: tuple[str, ...],
    splits: dict[str, NDArray[np.int64]],
    fit: Fit = "crop",
) -> None:
    """Write all that belongs to the images in `folder`, the meta file last: with it the data set is whole.

    Raises ValueError when labels and images do not match.
    """
    images = np.load(folder / IMAGES, mmap_mode="r")
    labels = np.ascontiguousarray(labels, np.int64)
    if len(images) != len(labels) or labels.min() < 0 or labels.max() >= len(classes):
        raise ValueError(f"{name}: {len(images)} images, {len(labels)} labels from {labels.min()} to {labels.max()}")
    np.save(folder / "labels.npy", labels)
    for split in SPLITS:
        np.save(folder / f"{split}.npy", splits[split])
    mean, std = channel_statistics(images, splits["train"])
    meta = {
        "name": name,
        "image_size": images.shape[2],
        "classes": classes,
        "content_hash": _content_hash(images, labels, classes, splits),
        "mean": mean,
        "std": std,
        "fit": fit,
    }
    (folder / META).write_text(json.dumps(meta, indent=2), "utf-8")


def channel_statistics(
    images: NDArray[np.uint8], indices: NDArray[np.int64]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of value / 255 per channel over `images[indices]`, from an exact histogram."""
    counts = np.zeros((images.shape[1], 256), np.int64)
    for span in _spans(len(indices), images.shape[1:]):
        chunk = images[indices[span]]
        for channel in range(len(counts)):
            counts[channel] += np.bincount(chunk[:, channel].ravel(), minlength=256)
    values = np.arange(256) / 255
    mean = counts @ values / counts.sum(1)
    std = np.sqrt(np.maximum(counts @ values**2 / counts.sum(1) - mean**2, 0))
    return tuple(mean.tolist()), tuple(std.tolist())


def _load(path: Path) -> NDArray[np.int64]:
    """By way of memory: numpy leaves a file open that looks like a zip and is none."""
    return np.asarray(np.load(io.BytesIO(path.read_bytes())))


def _chunks(raw: RawImages, shape: tuple[int, int, int]) -> Iterator[NDArray]:
    """The images as uint8 (n, C, H, H) of `shape`, a few at a time."""
    images = raw.images
    if isinstance(images, np.ndarray) and images.shape[1:] == shape:
        yield from (images[span] for span in _spans(len(images), shape))
        return
    channels, size = shape[:2]
    decoded = map(_image, images) if isinstance(images, np.ndarray) else iter(images)
    while chunk := [fit(image, channels, size, raw.fit) for image in itertools.islice(decoded, 256)]:
        yield np.stack(chunk)


def _spans(count: int, shape: tuple[int, ...]) -> Iterator[slice]:
    """Slices that cover `count` images of `shape`, about CHUNK bytes each."""
    step = max(1, CHUNK // math.prod(shape))
    return (slice(start, start + step) for start in range(0, count, step))


def _image(image: NDArray[np.uint8]) -> Image.Image:
    """uint8 (1 or 3, H, W) as a PIL image."""
    return Image.fromarray(image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0)))


def _content_hash(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    classes: tuple[str, ...],
    splits: dict[str, NDArray[np.int64]],
) -> str:
    digest = pixel_digest(images, classes)
    for numbers in (labels, *(splits[split] for split in SPLITS)):
        digest.update(np.ascontiguousarray(numbers, "<i8").data)
    return digest.hexdigest()


def pixel_digest(images: NDArray[np.uint8], classes: tuple[str, ...]) -> hashlib._Hash:
    """The content hash before labels and splits."""
    digest = hashlib.sha256(json.dumps([images.shape, classes]).encode())
    for span in _spans(len(images), images.shape[1:]):
        digest.update(np.ascontiguousarray(images[span]).data)
    return digest
