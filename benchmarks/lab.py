"""The augmentation lab: what a redraw costs the server, and what the steps cost a batch."""

from __future__ import annotations

import time

import numpy as np

from benchmarks.row import Row, at_most
from cnn_core.data.augmentation.presets import augment_presets
from cnn_core.data.augmentation.preview import draws, stages
from cnn_core.data.augmentation.steps import read_steps
from cnn_core.data.catalogue.library import open_dataset
from pages.ui.augment.lab import EPOCHS, IMAGES, grid

SIDE, TARGET, REPEATS = 64, 150, 20
SETS = ("tutorial", "photographs", "policy")


def rows() -> list[Row]:
    """A redraw: 64 draws of colour images, the steps of one of them, and both as PNG."""
    images, labels = _images()
    return [_row(name, images, labels) for name in SETS]


def _row(name: str, images: np.ndarray, labels: np.ndarray) -> Row:
    steps, times = read_steps(augment_presets.get(name).steps), []
    for seed in range(REPEATS + 1):
        began = time.perf_counter()
        shown, _ = draws(images, labels, 10, steps, seed, EPOCHS)
        size = len(grid(images, shown))
        stages(images, steps, seed)
        times.append(1000 * (time.perf_counter() - began))
    what = f"drawing augmentation lab: {EPOCHS * IMAGES} images of {SIDE}×{SIDE}, {name}"
    return at_most(what, times[1:], TARGET, "ms", f"server time; {size / 1024:.0f} KiB to the browser")


def _images() -> tuple[np.ndarray, np.ndarray]:
    """Images of the bundled sample in three tints with a little grain, as photographs have."""
    dataset = open_dataset("fashion_mnist_sample", SIDE)
    images = dataset.images[:IMAGES].astype(np.float32) * np.array([1, 0.8, 0.6], np.float32).reshape(3, 1, 1)
    grain = np.random.default_rng(0).normal(0, 6, images.shape)
    return (images + grain).clip(0, 255).astype(np.uint8), dataset.labels[:IMAGES]
