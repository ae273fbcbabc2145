"""The map of images, against numpy's singular value decomposition."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cnn_core.data.catalogue.library import open_dataset
from cnn_core.data.dataset import ImageDataset
from cnn_core.data.explore.embedding import SIDE, pixel_features, plane, spread_over_classes


@pytest.fixture
def digits(home: Path) -> ImageDataset:
    return open_dataset("digits")


def test_the_plane_is_the_one_of_a_singular_value_decomposition(digits: ImageDataset) -> None:
    features = pixel_features(digits, np.arange(400))
    found = plane(features)
    left, singular, _ = np.linalg.svd(features - features.mean(0), full_matrices=False)
    theirs = left[:, :2] * singular[:2]
    for axis in range(2):
        assert abs(np.corrcoef(found.points[:, axis], theirs[:, axis])[0, 1]) > 0.999
    assert found.points.std(0) == pytest.approx(theirs.std(0), rel=1e-2)
    assert found.explained == pytest.approx(singular[:2] ** 2 / (singular**2).sum(), rel=1e-2)


def test_it_is_the_same_each_time(digits: ImageDataset) -> None:
    features = pixel_features(digits, np.arange(200))
    assert np.array_equal(plane(features).points, plane(features).points)


def test_pixels_are_normalised_channel_by_channel(digits: ImageDataset) -> None:
    features = pixel_features(digits, digits.splits["train"])
    assert features.shape == (len(digits.splits["train"]), 64)
    assert (features.mean(), features.std()) == pytest.approx((0, 1), abs=1e-3)


def test_large_images_are_scaled_down(digits: ImageDataset) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 3, 50, 50), np.uint8)
    large = replace(digits, images=images, image_size=50, mean=(0.5,) * 3, std=(0.25,) * 3)
    assert pixel_features(large, np.arange(5)).shape == (5, 3 * SIDE * SIDE)


@pytest.mark.parametrize("features", [np.zeros((0, 4)), np.zeros((1, 4)), np.ones((5, 3)), np.arange(6.0)[:, None]])
def test_too_little_to_differ_is_no_trouble(features: np.ndarray) -> None:
    found = plane(features.astype(np.float32))
    assert found.points.shape == (len(features), 2)
    assert np.isfinite(found.points).all()
    assert 0 <= sum(found.explained) <= 1.001


def test_a_sample_keeps_the_shares_of_the_classes(digits: ImageDataset) -> None:
    everything = spread_over_classes(digits, ("train", "validation"))
    assert np.array_equal(everything, np.sort(np.concatenate([digits.splits["train"], digits.splits["validation"]])))
    some = spread_over_classes(digits, ("train", "validation"), most=300)
    assert len(some) == 300
    share = np.bincount(digits.labels[some]) / 300 - np.bincount(digits.labels[everything]) / len(everything)
    assert np.abs(share).max() < 0.01
