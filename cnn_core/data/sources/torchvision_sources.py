"""The data sets that torchvision knows how to fetch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cnn_core.data.sources import torchvision_readers as read
from cnn_core.data.sources.originals import Originals
from cnn_core.data.sources.source import DatasetSource
from cnn_core.recipe import AugmentSpec


def _online(
    reader: read.Reader,
    files: tuple[str, ...],
    address: str,
    lies_flat: Callable[[Path], bool] = lambda folder: False,
    **fields: Any,
) -> DatasetSource:
    """A source whose `files`, found under `address`, are fetched before `reader` reads them."""
    originals = Originals(
        title=fields["title"], address=address, images=fields["images"], files=files, read=reader, lies_flat=lies_flat
    )
    return DatasetSource(files=files, read=originals.fetch, found=originals.folder, **fields)


def _in(folder: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{folder}/{name}" for name in names)


_FLIP = AugmentSpec(kind="horizontal_flip", probability=0.5)
_TURN = AugmentSpec(kind="rotation", degrees=10)
_LIGHT = AugmentSpec(kind="colour_jitter", brightness=0.1, contrast=0.1, saturation=0, hue=0)
_IDX_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)

TORCHVISION_SOURCES: tuple[DatasetSource, ...] = (
    _online(
        read.mnist_family("MNIST", 60_000, 10_000),
        _in("MNIST/raw", *_IDX_FILES),
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        name="mnist",
        title="MNIST",
        description="70,000 handwritten digits: where convolutional networks began, and nearly solved.",
        licence="CC BY-SA 3.0, Yann LeCun and Corinna Cortes",
        homepage="http://yann.lecun.com/exdb/mnist/",
        images=70_000,
        classes=10,
        channels=1,
        size=28,
        download_megabytes=12,
        augment=(AugmentSpec(kind="shift", pixels=2), _TURN),
    ),
    _online(
        read.fashion_mnist,
        _in("FashionMNIST/raw", *_IDX_FILES),
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        read.is_fashion_mnist,
        name="fashion_mnist",
        title="Fashion-MNIST",
        description="70,000 grey images of ten kinds of clothing: MNIST's form, but harder.",
        licence="MIT, Zalando SE",
        homepage="https://github.com/zalandoresearch/fashion-mnist",
        images=70_000,
        classes=10,
        channels=1,
        size=28,
        download_megabytes=31,
        augment=(_FLIP,),
    ),
    _online(
        read.mnist_family("KMNIST", 60_000, 10_000),
        _in("KMNIST/raw", *_IDX_FILES),
        "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        name="kmnist",
        title="Kuzushiji-MNIST",
        description="70,000 cursive Japanese characters in ten classes, each written in several ways.",
        licence="CC BY-SA 4.0, ROIS-DS Center for Open Data in the Humanities",
        homepage="https://github.com/rois-codh/kmnist",
        images=70_000,
        classes=10,
        channels=1,
        size=28,
        download_megabytes=21,
        augment=(AugmentSpec(kind="shift", pixels=2), _TURN),
    ),
    _online(
        read.emnist_balanced,
        _in("EMNIST/raw", "gzip.zip"),
        "https://biometrics.nist.gov/cs_links/EMNIST/",
        name="emnist_balanced",
        title="EMNIST, balanced",
        description="131,600 handwritten digits and letters in 47 classes, some hard to tell apart: O and 0.",
        licence="none stated; from NIST Special Database 19, please cite Cohen et al. 2017",
        homepage="https://www.nist.gov/itl/products-and-services/emnist-dataset",
        images=131_600,
        classes=47,
        channels=1,
        size=28,
        download_megabytes=562,
        augment=(AugmentSpec(kind="shift", pixels=2), _TURN),
    ),
    _online(
        read.cifar("CIFAR10"),
        ("cifar-10-python.tar.gz",),
        "https://www.cs.toronto.edu/~kriz/",
        name="cifar10",
        title="CIFAR-10",
        description="60,000 small colour photographs of ten kinds of animals and vehicles.",
        licence="none stated; please cite Krizhevsky 2009",
        homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
        images=60_000,
        classes=10,
        channels=3,
        size=32,
        download_megabytes=170,
        augment=(_FLIP, AugmentSpec(kind="shift", pixels=2)),
    ),
    _online(
        read.cifar("CIFAR100"),
        ("cifar-100-python.tar.gz",),
        "https://www.cs.toronto.edu/~kriz/",
        name="cifar100",
        title="CIFAR-100",
        description="60,000 small colour photographs in 100 classes of 600: few examples of many things.",
        licence="none stated; please cite Krizhevsky 2009",
        homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
        images=60_000,
        classes=100,
        channels=3,
        size=32,
        download_megabytes=169,
        augment=(_FLIP, AugmentSpec(kind="shift", pixels=2)),
    ),
    _online(
        read.svhn,
        ("train_32x32.mat", "test_32x32.mat"),
        "http://ufldl.stanford.edu/housenumbers/",
        name="svhn",
        title="Street View House Numbers",
        description="99,289 digits cut from photographs of house numbers, with their neighbours at the edges.",
        licence="non-commercial use only; please cite Netzer et al. 2011",
        homepage="http://ufldl.stanford.edu/housenumbers/",
        images=99_289,
        classes=10,
        channels=3,
        size=32,
        download_megabytes=246,
        augment=(AugmentSpec(kind="shift", pixels=2), _LIGHT),
    ),
    _online(
        read.stl10,
        ("stl10_binary.tar.gz",),
        "http://ai.stanford.edu/~acoates/stl10/",
        name="stl10",
        title="STL-10",
        description="13,000 larger colour photographs of ten kinds of things; only 5,000 to learn from.",
        licence="none stated; images from ImageNet, please cite Coates et al. 2011",
        homepage="https://cs.stanford.edu/~acoates/stl10/",
        images=13_000,
        classes=10,
        channels=3,
        size=96,
        download_megabytes=2_640,
        augment=(_FLIP, AugmentSpec(kind="shift", pixels=6)),
    ),
    _online(
        read.eurosat,
        _in("eurosat", "EuroSAT.zip"),
        "https://github.com/phelber/EuroSAT",
        name="eurosat",
        title="EuroSAT",
        description="27,000 satellite images of ten kinds of land in Europe.",
        licence="MIT, Patrick Helber",
        homepage="https://github.com/phelber/EuroSAT",
        images=27_000,
        classes=10,
        channels=3,
        size=64,
        download_megabytes=94,
        augment=(_FLIP, _LIGHT),
    ),
    _online(
        read.flowers102,
        _in("flowers-102", "102flowers.tgz", "imagelabels.mat", "setid.mat"),
        "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/",
        name="flowers102",
        title="Oxford Flowers",
        description="8,189 photographs of 102 kinds of flowers, only 20 of each to learn from.",
        licence="none stated; please cite Nilsback and Zisserman 2008",
        homepage="https://www.robots.ox.ac.uk/~vgg/data/flowers/102/",
        images=8_189,
        classes=102,
        channels=3,
        size=64,
        download_megabytes=345,
        augment=(_FLIP, AugmentSpec(kind="rotation", degrees=15)),
    ),
)
