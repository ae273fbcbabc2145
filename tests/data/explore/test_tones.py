"""Pixel values, brightness and contrast, against numpy, Pillow and what was planted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageStat

from cnn_core.data.catalogue.library import open_dataset
from cnn_core.data.catalogue.versions import ITEMS
from cnn_core.data.dataset import ImageDataset
from cnn_core.data.explore import chunks
from cnn_core.data.explore.original_sizes import original_sizes
from cnn_core.data.explore.resample import grey, resampled
from cnn_core.data.explore.tones import channel_histogram, drawn, mean_and_deviation, tones, usual_range


@pytest.fixture
def digits(home: Path) -> ImageDataset:
    return open_dataset("digits")


def colourful(count: int, side: int = 12) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 3, side, side), np.uint8)


def test_the_histogram_counts_every_pixel(digits: ImageDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 1000)  # many chunks
    images = colourful(50)
    positions = np.arange(5, 45)
    counts = channel_histogram(replace(digits, images=images), positions)
    for channel in range(3):
        assert np.array_equal(counts[channel], np.histogram(images[5:45, channel], np.arange(257))[0])
    mean, deviation = mean_and_deviation(counts)
    assert mean == pytest.approx(images[5:45].mean((0, 2, 3)))
    assert deviation == pytest.approx(images[5:45].std((0, 2, 3)))


def test_brightness_and_contrast_are_pillows(digits: ImageDataset) -> None:
    images = colourful(20)
    found = tones(replace(digits, images=images), np.arange(20))
    theirs = [ImageStat.Stat(Image.fromarray(image.transpose(1, 2, 0)).convert("L")) for image in images]
    assert found.brightness == pytest.approx([each.mean[0] for each in theirs], abs=0.6)  # it rounds each pixel
    assert found.contrast == pytest.approx([each.stddev[0] for each in theirs], abs=0.6)


def test_planted_outliers_are_outside_of_the_usual_range(digits: ImageDataset) -> None:
    images = np.asarray(digits.images).copy()
    images[3], images[9] = 255, 0
    found = tones(replace(digits, images=images), np.arange(len(images)))
    low, high = usual_range(found.brightness)
    assert np.flatnonzero((found.brightness < low) | (found.brightness > high)).tolist() == [3, 9]
    assert (low, high) == pytest.approx(usual_range(tones(digits, found.positions).brightness), rel=0.02)


def test_large_splits_are_drawn_from(digits: ImageDataset) -> None:
    assert np.array_equal(drawn(digits, "train"), digits.splits["train"])
    some = drawn(digits, "train", most=100)
    assert len(set(some.tolist())) == 100
    assert (np.diff(some) > 0).all()
    assert np.isin(some, digits.splits["train"]).all()
    assert np.array_equal(some, drawn(digits, "train", most=100))


@pytest.mark.parametrize("side", [8, 12, 32])
def test_resampling_is_pillows(side: int) -> None:
    images = colourful(4, 20)
    theirs = [
        [
            np.asarray(Image.fromarray(channel.astype(np.float32)).resize((side, side), Image.Resampling.LANCZOS))
            for channel in image
        ]
        for image in images
    ]
    assert resampled(images, side) == pytest.approx(np.array(theirs), abs=1e-2)


def test_grey_is_pillows() -> None:
    images = colourful(4)
    theirs = [np.asarray(Image.fromarray(image.transpose(1, 2, 0)).convert("L")) for image in images]
    assert grey(images) == pytest.approx(np.array(theirs, float), abs=0.6)


def test_original_sizes(digits: ImageDataset, tmp_path: Path) -> None:
    assert original_sizes(digits) is None
    some = replace(digits, labels=digits.labels[:3], folder=tmp_path)
    (tmp_path / ITEMS).write_text('{"file": ["a", "b", "c"], "width": [40, 10, 30], "height": [20, 30, 30]}')
    sizes = original_sizes(some)
    assert sizes is not None
    assert sizes.longer.tolist() == [40, 30, 30]
    assert sizes.shorter.tolist() == [20, 10, 30]
    assert sizes.aspect.tolist() == pytest.approx([2, 1 / 3, 1])
    assert (sizes.smallest, sizes.largest) == ((10, 30), (30, 30))
