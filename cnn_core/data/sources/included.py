"""The data sets that come with the playground or its requirements."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cnn_core.data.dataset import RawImages
from cnn_core.data.sources.source import DatasetSource
from cnn_core.data.sources.torchvision_readers import DIGITS, FASHION_CLASSES
from cnn_core.recipe import AugmentSpec

BUNDLED = Path(__file__).parents[1] / "bundled" / "fashion_mnist_sample.npz"


def read_bundled(downloads: Path) -> RawImages:
    """The bundled sample of Fashion-MNIST: images (14000, 1, 28, 28)."""
    with np.load(BUNDLED) as arrays:
        images = np.concatenate([arrays["train_images"], arrays["test_images"]])
        labels = [arrays["train_labels"], arrays["test_labels"]]
    is_test = np.arange(len(images)) >= len(labels[0])
    return RawImages(images[:, None], np.concatenate(labels).astype(np.int64), FASHION_CLASSES, is_test)


def read_digits(downloads: Path) -> RawImages:
    """scikit-learn's digits: images (1797, 1, 8, 8), their grey values 0–16 stretched to 0–255."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    return RawImages(images[:, None], digits.target.astype(np.int64), DIGITS)


INCLUDED_SOURCES = (
    DatasetSource(
        name="fashion_mnist_sample",
        title="Fashion-MNIST sample",
        description="14,000 grey images of ten kinds of clothing: small enough to learn from in a minute.",
        licence="MIT, Zalando SE",
        homepage="https://github.com/zalandoresearch/fashion-mnist",
        images=14_000,
        classes=10,
        channels=1,
        size=28,
        augment=(AugmentSpec(kind="horizontal_flip", probability=0.5),),
        read=read_bundled,
    ),
    DatasetSource(
        name="digits",
        title="Digits 8 × 8",
        description="1,797 tiny handwritten digits from scikit-learn: each epoch takes a blink.",
        licence="CC BY 4.0, E. Alpaydin and C. Kaynak",
        homepage="https://archive.ics.uci.edu/dataset/80",
        images=1_797,
        classes=10,
        channels=1,
        size=8,
        augment=(AugmentSpec(kind="rotation", degrees=10),),
        read=read_digits,
    ),
)
