"""Copies: planted ones are found, other images mostly are not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dct

from cnn_core.data.catalogue.library import open_dataset
from cnn_core.data.dataset import ImageDataset
from cnn_core.data.explore import near_pairs
from cnn_core.data.explore.duplicates import Group, copies_to_remove, find_copies
from cnn_core.data.explore.near_pairs import DISTANCE, candidates, frequencies, perceptual_hashes
from tests.data.explore.planted import brighter, jpeg, with_images


@pytest.fixture
def clothes(home: Path) -> ImageDataset:
    """The bundled Fashion-MNIST sample."""
    return open_dataset("fashion_mnist_sample")


@pytest.fixture
def digits(home: Path) -> ImageDataset:
    return open_dataset("digits")


def part(dataset: ImageDataset, count: int) -> ImageDataset:
    """The first `count` images, all to learn from but three."""
    splits = {
        "train": np.arange(count - 3),
        "validation": np.array([count - 3]),
        "test": np.array([count - 2, count - 1]),
    }
    return replace(dataset, images=dataset.images[:count], labels=dataset.labels[:count], splits=splits)


def hashes(dataset: ImageDataset) -> NDArray[np.uint64]:
    return perceptual_hashes(frequencies(dataset, np.arange(len(dataset.labels))))


def test_exact_copies_are_grouped_with_their_splits_and_labels(clothes: ImageDataset) -> None:
    first = part(clothes, 200)
    again = with_images(
        first,
        [first.images[5], first.images[5], first.images[7]],
        [first.labels[5], 3, first.labels[7]],
        ["test", "validation", "train"],
    )
    five, seven = find_copies(again)
    assert five.kind == seven.kind == "exact"
    assert five.positions == (200, 201, 5)
    assert five.splits == ("test", "validation", "train")
    assert five.labels[1] == 3
    assert (five.leaks, five.contradicts) == (True, True)
    assert seven.positions == (7, 202)
    assert (seven.leaks, seven.contradicts) == (False, False)


@pytest.mark.parametrize(
    ("change", "least"),
    [
        (lambda image: brighter(image, 20), 0.99),
        (lambda image: brighter(image, -20), 0.9),
        (lambda image: (image * 0.8).astype(np.uint8), 0.99),
        (lambda image: jpeg(image, 90), 0.99),
        (lambda image: jpeg(image, 75), 0.9),
    ],
    ids=["brighter", "darker", "dimmed", "jpeg90", "jpeg75"],
)
def test_slightly_changed_copies_are_found(clothes: ImageDataset, change, least: float) -> None:
    first = part(clothes, 600)
    changed = [change(image) for image in first.images]
    both = with_images(first, changed, first.labels.tolist(), ["train"] * 600)
    found = {position for group in find_copies(both) for position in group.positions}
    assert sum({place, place + 600} <= found for place in range(600)) >= least * 600


def test_other_images_mostly_are_not(clothes: ImageDataset, digits: ImageDataset) -> None:
    """Of 14,000 different Fashion-MNIST images 12 are taken for copies, 0.9 in a thousand; of the digits none."""
    assert sum(len(group.positions) for group in find_copies(clothes)) <= 20
    assert find_copies(digits) == []


def test_the_hash_is_the_one_of_a_direct_formula(clothes: ImageDataset) -> None:
    some = part(clothes, 100)
    theirs = np.array([direct(image[0]) for image in some.images])
    assert (hashes(some) == theirs).mean() >= 0.98  # a coefficient may be the median but for rounding
    assert np.bitwise_count(hashes(some) ^ theirs).max() <= 2


def direct(image: NDArray[np.uint8]) -> np.uint64:
    """pHash of one grey image, step by step."""
    small = np.asarray(Image.fromarray(image.astype(np.float32)).resize((32, 32), Image.Resampling.LANCZOS), float)
    low = dct(dct(small, axis=0), axis=1)[:8, :8]
    return np.uint64(np.packbits(low > np.median(low)).view(np.uint64)[0])


def test_the_hash_is_imagehashs(clothes: ImageDataset) -> None:
    imagehash = pytest.importorskip("imagehash")
    some = part(clothes, 100)
    theirs = [imagehash.phash(Image.fromarray(image[0])).hash.ravel() for image in some.images]
    bits = np.unpackbits(hashes(some).view(np.uint8).reshape(-1, 8), axis=1)
    different = (bits != theirs).sum(axis=1)  # it rounds the small image to whole grey values
    assert different.mean() < 1.5
    assert different.max() <= 6


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=12), st.data())
@settings(max_examples=60, deadline=None)
def test_no_near_pair_of_hashes_is_missed(values: list[int], data: st.DataObject) -> None:
    """Compared with every pair, among hashes of which some differ in a few bits."""
    near = [value ^ sum(1 << bit for bit in data.draw(st.sets(st.integers(0, 63), max_size=8))) for value in values]
    both = np.array(values + near, np.uint64)
    expected = {
        (first, second)
        for first in range(len(both))
        for second in range(first + 1, len(both))
        if np.bitwise_count(both[first] ^ both[second]) <= DISTANCE
    }
    assert {tuple(pair) for pair in candidates(both).tolist()} == expected


def test_a_bucket_of_thousands_stays_affordable(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(candidates(np.zeros(5000, np.uint64))) <= 5000 * near_pairs.NEIGHBOURS
    monkeypatch.setattr(near_pairs, "MOST_PAIRS", 1000)
    assert len(candidates(np.zeros(5000, np.uint64))) >= 1000


def test_flat_and_single_images_are_no_trouble(digits: ImageDataset) -> None:
    one = part(digits, 3)
    flat = with_images(one, [np.full((1, 8, 8), value, np.uint8) for value in (0, 100, 200)], [0] * 3, ["train"] * 3)
    assert find_copies(flat) == []
    assert (
        find_copies(
            replace(
                one,
                images=one.images[:1],
                labels=one.labels[:1],
                splits={"train": np.array([0]), "validation": np.zeros(0, np.int64), "test": np.zeros(0, np.int64)},
            )
        )
        == []
    )


def test_colours_count(digits: ImageDataset) -> None:
    """The same image in red and in blue is not a copy, though both are the same in grey."""
    grey = digits.images[:40, 0].astype(float)
    red, blue = np.zeros((2, 40, 3, 8, 8), np.uint8)
    red[:, 0], blue[:, 2] = grey * 0.3, np.clip(grey * 0.3 * 0.299 / 0.114, 0, 255)
    images = np.concatenate([red, blue])
    splits = {"train": np.arange(78), "validation": np.array([78]), "test": np.array([79])}
    colourful = replace(digits, images=images, labels=np.zeros(80, np.int64), splits=splits)
    assert find_copies(colourful) == []


def test_the_test_image_stays() -> None:
    groups = [
        Group("exact", (9, 8, 4, 1, 2), ("test", "test", "validation", "train", "train"), (0,) * 5),
        Group("near", (5, 6), ("train", "train"), (1, 1)),
        Group("near", (3, 7), ("validation", "train"), (1, 2)),
    ]
    assert copies_to_remove(groups) == [1, 2, 4, 6, 7, 8]
    assert copies_to_remove(groups, leaks_only=True) == [1, 2, 4, 7]
