"""A data set as a zip of class folders that imports again to the same pixels and splits."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnn_core.data.dataset import SPLITS, ImageDataset


def write_zip(dataset: ImageDataset, file: BinaryIO) -> None:
    """Write split/class/number.png for each image, its number being its position."""
    folders = _folder_names(dataset.classes)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:  # PNG is compressed already
        for split in SPLITS:
            for position in dataset.splits[split]:
                name = f"{split}/{folders[dataset.labels[position]]}/{position:06d}.png"
                archive.writestr(name, _png(dataset.images[position]))


def _folder_names(classes: tuple[str, ...]) -> list[str]:
    """Class names that every file system takes, no two the same."""
    names: list[str] = []
    for number, name in enumerate(classes):
        clean = re.sub(r'[\x00-\x1f/\\:*?"<>|]', "_", name).strip(" .") or f"class {number}"
        taken = {other.casefold() for other in names}
        names.append(next(free for free in _variants(clean) if free.casefold() not in taken))
    return names


def _variants(name: str) -> Iterator[str]:
    yield name
    for number in range(2, 10_000):
        yield f"{name} {number}"


def _png(image: NDArray[np.uint8]) -> bytes:
    pixels = image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0))
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
