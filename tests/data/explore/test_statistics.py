"""What the Data page counts and draws."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cnn_core.data.catalogue.library import open_dataset
from cnn_core.data.dataset import ImageDataset
from cnn_core.data.explore.statistics import class_counts, deviation_images, mean_images, sample, split_names


@pytest.fixture
def digits(home: Path) -> ImageDataset:
    return open_dataset("digits")


def test_counts_are_those_of_pandas(digits: ImageDataset) -> None:
    counts = class_counts(digits)
    split_of = pd.Series("", index=range(1797))
    for split, indices in digits.splits.items():
        split_of[indices] = split
    theirs = pd.crosstab(digits.labels, split_of)
    assert counts.index.tolist() == list(digits.classes)
    assert counts.columns.tolist() == ["train", "validation", "test"]
    assert np.array_equal(counts, theirs[counts.columns])
    assert counts.to_numpy().sum() == 1797


def test_a_sample_of_a_class_holds_that_class_of_that_split_once(digits: ImageDataset) -> None:
    drawn = sample(digits, "validation", 3, 10, seed=1)
    assert len(set(drawn.tolist())) == 10
    assert np.isin(drawn, digits.splits["validation"]).all()
    assert (digits.labels[drawn] == 3).all()


def test_a_sample_of_all_classes_shows_each_in_turn(digits: ImageDataset) -> None:
    drawn = sample(digits, "train", None, 20, seed=1)
    assert digits.labels[drawn].tolist() == [*range(10), *range(10)]


def test_a_sample_is_never_larger_than_what_there_is(digits: ImageDataset) -> None:
    assert sorted(sample(digits, "test", None, 10_000).tolist()) == digits.splits["test"].tolist()


def test_the_seed_decides(digits: ImageDataset) -> None:
    first, second = sample(digits, "train", None, 50, seed=1), sample(digits, "train", None, 50, seed=1)
    assert np.array_equal(first, second)
    assert not np.array_equal(first, sample(digits, "train", None, 50, seed=2))


def test_mean_images(digits: ImageDataset) -> None:
    means = mean_images(digits)
    fours = digits.images[digits.splits["train"]][digits.labels[digits.splits["train"]] == 4]
    assert means.shape == (10, 1, 8, 8)
    assert np.abs(means[4].astype(float) - fours.astype(float).mean(0)).max() <= 0.5


def test_deviation_images_are_those_of_numpy(digits: ImageDataset) -> None:
    fours = digits.images[digits.splits["train"]][digits.labels[digits.splits["train"]] == 4]
    assert deviation_images(digits)[4] == pytest.approx(fours.astype(float).std(0)[0], abs=1e-3)


def test_every_image_has_the_name_of_its_split(digits: ImageDataset) -> None:
    names = split_names(digits)
    assert all((names[indices] == split).all() for split, indices in digits.splits.items())
