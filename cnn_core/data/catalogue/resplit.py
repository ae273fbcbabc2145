"""A run's own share of validation images, drawn from everything outside the test images."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cnn_core.data.catalogue.library import Report, prepare
from cnn_core.data.dataset import ImageDataset, channel_statistics
from cnn_core.data.splits import SEED, stratified_part
from cnn_core.errors import RecipeError
from cnn_core.recipe import DataSpec


def prepare_for(data: DataSpec, progress: Report | None = None) -> ImageDataset:
    """The images of a recipe, split as it says; imported first where that is not done. Raises as `prepare` does, and
    RecipeError when there are too few images to split."""
    return with_validation(prepare(data.dataset, data.image_size, progress), data.validation_fraction)


def with_validation(dataset: ImageDataset, fraction: float) -> ImageDataset:
    """The data set with `fraction` of its images outside the test images as validation images; 0: as it is.

    Stratified and drawn with the seed of every split, so a fraction means the same images in every process. At least
    one image is for validation and one for training; each class keeps one for training where that is possible.
    Mean, deviation and content hash follow the new split. Raises RecipeError when there are fewer than two images.
    """
    if not fraction:
        return dataset
    free = np.sort(np.concatenate([dataset.splits["train"], dataset.splits["validation"]]))
    if len(free) < 2:
        raise RecipeError(
            f"data.validation_fraction: {dataset.name} has {len(free)} images outside the test images; two are needed."
        )
    chosen = np.zeros(len(free), bool)
    count = min(max(1, round(fraction * len(free))), len(free) - 1)
    chosen[stratified_part(dataset.labels[free], count, SEED + 1)] = True
    validation = free[_learnable(dataset.labels[free], chosen)]
    train = np.setdiff1d(free, validation, assume_unique=True)
    if np.array_equal(validation, dataset.splits["validation"]):
        return dataset
    mean, std = channel_statistics(dataset.images, train)
    return replace(
        dataset,
        splits=dataset.splits | {"train": train, "validation": validation},
        content_hash=_hash(dataset, validation),
        mean=mean,
        std=std,
    )


def _learnable(labels: NDArray[np.int64], chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """`chosen` without the last image of each class that would have no other left; never empty."""
    kept = chosen.copy()
    for label in np.setdiff1d(labels, labels[~chosen]):
        kept[np.flatnonzero(labels == label)[-1]] = False
    return kept if kept.any() else chosen


def _hash(dataset: ImageDataset, validation: NDArray[np.int64]) -> str:
    """SHA-256 in hex over the data set's own and the validation images."""
    digest = hashlib.sha256(dataset.content_hash.encode())
    digest.update(np.ascontiguousarray(validation, "<i8").data)
    return digest.hexdigest()
