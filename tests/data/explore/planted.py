"""Data sets with copies that a test put there."""

import io
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnn_core.data.dataset import SPLITS, ImageDataset


def jpeg(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """uint8 (C, H, W) as it is after it was saved as a JPEG file."""
    buffer = io.BytesIO()
    Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0)).save(buffer, "JPEG", quality=quality)
    pixels = np.asarray(Image.open(buffer))
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def brighter(image: NDArray[np.uint8], by: int) -> NDArray[np.uint8]:
    return np.clip(image.astype(int) + by, 0, 255).astype(np.uint8)


def with_images(
    dataset: ImageDataset, images: Sequence[NDArray[np.uint8]], labels: Sequence[int], splits: Sequence[str]
) -> ImageDataset:
    """The data set with further images at its end."""
    first = len(dataset.labels)
    added = {
        split: np.array([first + place for place, name in enumerate(splits) if name == split], np.int64)
        for split in SPLITS
    }
    return replace(
        dataset,
        images=np.concatenate([dataset.images, np.stack(images)]),
        labels=np.concatenate([dataset.labels, np.array(labels, np.int64)]),
        splits={split: np.concatenate([dataset.splits[split], added[split]]) for split in SPLITS},
    )
