"""Where images come from: the registry of data sets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cnn_core.data.dataset import RawImages
from cnn_core.data.shelf import is_own, own_datasets, own_source
from cnn_core.data.source import DatasetSource
from cnn_core.data.torchvision_readers import DIGITS, FASHION_CLASSES
from cnn_core.data.torchvision_sources import TORCHVISION_SOURCES
from cnn_core.recipe import AugmentSpec
from cnn_core.registry import Registry

BUNDLED = Path(__file__).parent / "bundled" / "fashion_mnist_sample.npz"


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


OFFLINE = (
    DatasetSource(
        name="fashion_mnist_sample",
        title="Fashion-MNIST sample",
        description="14,000 grey pictures of ten kinds of clothing: small enough to learn from in a minute.",
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


class Sources(Registry[DatasetSource]):
    """The data sets everybody has, and after them those that people brought, as they are at the moment of asking."""

    def get(self, name: str) -> DatasetSource:
        return own_source(name) if is_own(name) else super().get(name)

    def names(self) -> list[str]:
        return [*super().names(), *(known.id for known in own_datasets())]

    def __iter__(self) -> Iterator[DatasetSource]:
        return map(self.get, self.names())

    def __contains__(self, name: str) -> bool:
        return name in self.names()


BUILT_IN = (*OFFLINE, *TORCHVISION_SOURCES)
dataset_sources = Sources("data set")
for source in BUILT_IN:
    dataset_sources.add(source.name, source)
