"""What a page shows of a data set: class balance, a sample of its images, the mean image of each class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnn_core.data.dataset import SPLITS, ImageDataset

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
