"""A run's own validation images: how many, which, and what never moves."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cnn_core.data.catalogue.library import open_dataset, prepare
from cnn_core.data.catalogue.resplit import prepare_for, with_validation
from cnn_core.data.dataset import SPLITS, ImageDataset, channel_statistics
from cnn_core.data.splits import make_splits
from cnn_core.errors import RecipeError
from cnn_core.recipe import DataSpec, Recipe


@pytest.fixture
def digits(home: Path) -> ImageDataset:
    return open_dataset("digits")


def of_labels(labels: list[int], tests: int = 1) -> ImageDataset:
    """Images of these labels, and `tests` test images of class 0 after them."""
    every = np.array([*labels, *[0] * tests])
    images = np.random.default_rng(0).integers(0, 255, (len(every), 1, 2, 2), np.uint8)
    is_test = np.arange(len(every)) >= len(labels)
    splits = make_splits(every, is_test, validation=0.1)
    classes = tuple(str(label) for label in range(max(labels) + 1))
    return ImageDataset("made", 2, images, every, classes, splits, "ab" * 32, (0.5,), (0.2,), Path("nowhere"))


def test_nothing_changes_without_a_fraction(digits: ImageDataset) -> None:
    assert with_validation(digits, 0.0) is digits
    assert prepare_for(DataSpec(dataset="digits")).content_hash == digits.content_hash


@pytest.mark.parametrize("fraction", [0.001, 0.05, 0.2, 0.5, 0.9])
def test_the_fraction_is_kept_class_by_class_and_test_images_stay(digits: ImageDataset, fraction: float) -> None:
    split = with_validation(digits, fraction)
    free = len(digits.splits["train"]) + len(digits.splits["validation"])
    assert len(split.splits["validation"]) == max(1, round(fraction * free))
    assert np.array_equal(split.splits["test"], digits.splits["test"])
    every = np.concatenate([split.splits[name] for name in SPLITS])
    assert np.array_equal(np.sort(every), np.arange(len(digits.labels)))
    counts = {name: np.bincount(digits.labels[split.splits[name]], minlength=10) for name in ("train", "validation")}
    exact = fraction * (counts["train"] + counts["validation"])
    assert (np.abs(counts["validation"] - exact) <= 1).all()
    assert (split.mean, split.std) == channel_statistics(digits.images, split.splits["train"])


def test_the_same_images_in_every_process_and_another_hash(digits: ImageDataset, home: Path) -> None:
    first, again = prepare_for(DataSpec(dataset="digits", validation_fraction=0.2)), with_validation(digits, 0.2)
    assert np.array_equal(first.splits["validation"], again.splits["validation"])
    assert first.content_hash == again.content_hash
    assert len({with_validation(digits, fraction).content_hash for fraction in (0.0, 0.15, 0.2, 0.3)}) == 4
    assert open_dataset("digits").content_hash == digits.content_hash  # nothing of it is on the disk


def test_at_the_own_fraction_it_is_the_own_split(digits: ImageDataset) -> None:
    own = of_labels(list(range(5)) * 40, tests=20)
    assert with_validation(own, 0.1) is own
    assert with_validation(digits, 0.1) is digits


def test_as_printed_48_000_images_learn_and_12_000_validate(home: Path, fashion_mnist_folder: Path) -> None:
    split = with_validation(prepare("fashion_mnist"), 0.2).splits
    assert [len(split[name]) for name in SPLITS] == [48_000, 12_000, 10_000]


@pytest.mark.parametrize("fraction", [1e-9, 0.5, 0.9])
@pytest.mark.parametrize("labels", [[0, 1], [0, 0], [0, 1, 2, 3], [0, 0, 1, 1], [0] * 9 + [1]])
def test_few_images_leave_at_least_one_on_either_side(labels: list[int], fraction: float) -> None:
    split = with_validation(of_labels(labels), fraction)
    counts = [len(split.splits[name]) for name in SPLITS]
    assert min(counts) > 0
    assert sum(counts) == len(labels) + 1
    learned, free = set(split.labels[split.splits["train"]]), set(labels)
    assert learned == free or len(free) == len(labels)  # one image a class: one class has to give its own


def test_one_image_cannot_be_split() -> None:
    lonely = of_labels([0, 0])
    lonely = replace(lonely, splits=lonely.splits | {"validation": np.zeros(0, np.int64), "train": np.array([1])})
    with pytest.raises(RecipeError, match="validation_fraction: made has 1 images outside"):
        with_validation(lonely, 0.5)


@pytest.mark.parametrize("fraction", [-0.1, 0.91, 1.0])
def test_the_recipe_refuses_what_leaves_nothing_to_learn_from(fraction: float) -> None:
    with pytest.raises(RecipeError, match="validation_fraction"):
        Recipe.from_json(f'{{"data": {{"validation_fraction": {fraction}}}}}')
