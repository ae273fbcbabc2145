"""What a page shows of a data set: class balance, a sample of its images, the mean image of each class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnn_core.data.dataset import SPLITS, ImageDataset
from cnn_core.data.explore.chunks import chunks

if TYPE_CHECKING:
    import pandas as pd


def class_counts(dataset: ImageDataset) -> pd.DataFrame:
    """Number of images: one row a class, in label order, columns "train", "validation", "test"."""
    import pandas as pd  # 0.3 s that Home, which draws a sample only, does not need

    classes = len(dataset.classes)
    counts = {split: np.bincount(dataset.labels[dataset.splits[split]], minlength=classes) for split in SPLITS}
    return pd.DataFrame(counts, index=pd.Index(dataset.classes, name="class"))


def sample(dataset: ImageDataset, split: str, label: int | None, count: int, seed: int = 0) -> NDArray[np.int64]:
    """At most `count` positions in `dataset.images`, drawn without repeats from a split.

    With a label only from that class; without, the classes take turns, so that each is seen.
    """
    indices = dataset.splits[split]
    if label is not None:
        indices = indices[dataset.labels[indices] == label]
    indices = np.random.default_rng(seed).permutation(indices)
    if label is not None:
        return indices[:count]
    labels = dataset.labels[indices]
    turns = np.zeros(len(indices), np.int64)
    for value in np.unique(labels):
        members = labels == value
        turns[members] = np.arange(members.sum())
    return indices[np.lexsort((labels, turns))][:count]


def mean_images(dataset: ImageDataset, split: str = "train", most: int = 1000) -> NDArray[np.uint8]:
    """uint8 (classes, C, H, W): the mean of each class over at most `most` of its images; black where it has none."""
    means = np.zeros((len(dataset.classes), *dataset.shape), np.uint8)
    for label in range(len(means)):
        chosen = np.sort(sample(dataset, split, label, most))
        if len(chosen):
            means[label] = np.rint(dataset.images[chosen].mean(0)).astype(np.uint8)
    return means


def deviation_images(dataset: ImageDataset, split: str = "train", most: int = 1000) -> NDArray[np.float32]:
    """float32 (classes, H, W), in grey values 0…128: the standard deviation of each pixel over at most `most` images
    of the class, the mean of the channels; zero where a class has none."""
    deviations = np.zeros((len(dataset.classes), *dataset.shape[1:]), np.float32)
    for label in range(len(deviations)):
        chosen = np.sort(sample(dataset, split, label, most))
        sums = np.zeros((2, *dataset.shape))
        for _, images in chunks(dataset.images, chosen):
            values = images.astype(np.float32)
            sums += values.sum(0, dtype=np.float64), np.square(values).sum(0, dtype=np.float64)
        mean, square = sums / max(len(chosen), 1)
        deviations[label] = np.sqrt(np.maximum(square - mean**2, 0)).mean(0)
    return deviations


def split_names(dataset: ImageDataset) -> NDArray[np.str_]:
    """(N,): the name of the split each image is in."""
    names = np.empty(len(dataset.labels), "<U10")
    for split in SPLITS:
        names[dataset.splits[split]] = split
    return names
