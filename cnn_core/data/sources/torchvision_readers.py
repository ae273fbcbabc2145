"""Readers of torchvision's data sets; torchvision itself is imported when one is read.

Each reader takes a root folder in torchvision's layout and whether it may download and unpack there. Unpacked files
that a killed process left incomplete are replaced, which torchvision does only for those whose checksum it knows.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnn_core.data.dataset import RawImages
from cnn_core.data.sources.idx import read_idx
from cnn_core.errors import DatasetUnavailableError

Reader = Callable[[Path, bool], RawImages]
IDX_HEADER = {"images-idx3-ubyte": 16, "labels-idx1-ubyte": 8}  # bytes before the values
IDX_LABELS = "train-labels-idx1-ubyte.gz"
EMNIST_COUNTS = {"train": 112_800, "test": 18_800}
DIGITS = tuple("0123456789")
FASHION_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
# SHA-256 of the 60,000 training labels: MNIST and its other followers use the same file names.
FASHION_MNIST_LABELS = "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7"


def mnist_family(class_name: str, train: int, test: int) -> Reader:
    """MNIST, FashionMNIST or KMNIST: `train` + `test` images (1, 28, 28)."""

    def read(root: Path, download: bool) -> RawImages:
        import torchvision.datasets

        dataset = getattr(torchvision.datasets, class_name)
        if download:
            for name, size in _idx_files({"train": train, "t10k": test}).items():
                raw = root / class_name / "raw"
                _unpack(raw / name, size, partial(gzip.GzipFile, raw / f"{name}.gz"))
        parts = [dataset(root, train=part, download=download) for part in (True, False)]
        return _raw([part.data.numpy()[:, None] for part in parts], [part.targets for part in parts], dataset.classes)

    return read


def fashion_mnist(root: Path, download: bool) -> RawImages:
    """Fashion-MNIST, also from the four packed files lying in `root` itself, as Debian's package has them."""
    if download or not (root / IDX_LABELS).is_file():
        return mnist_family("FashionMNIST", 60_000, 10_000)(root, download)
    if not is_fashion_mnist(root):
        raise ValueError("another data set with the same file names")
    names = ("train", "t10k")
    images = [read_idx(root / f"{name}-images-idx3-ubyte.gz")[:, None] for name in names]
    return _raw(images, [read_idx(root / f"{name}-labels-idx1-ubyte.gz") for name in names], FASHION_CLASSES)


def is_fashion_mnist(folder: Path) -> bool:
    """Whether the four packed files lie in a folder, with the labels of Fashion-MNIST in them."""
    names = [f"{part}-{kind}.gz" for part in ("train", "t10k") for kind in IDX_HEADER]
    if not all((folder / name).is_file() for name in names):
        return False
    return _labels_hash(folder / IDX_LABELS, (folder / IDX_LABELS).stat().st_mtime_ns) == FASHION_MNIST_LABELS


@lru_cache(maxsize=8)
def _labels_hash(path: Path, written: int) -> str:
    """SHA-256 of an IDX file's labels, "" where they cannot be read."""
    try:
        return hashlib.sha256(read_idx(path).data).hexdigest()
    except (OSError, EOFError, ValueError, zlib.error):
        return ""


def emnist_balanced(root: Path, download: bool) -> RawImages:
    """EMNIST's balanced split: 112,800 + 18,800 images (1, 28, 28), turned upright (they are stored transposed).

    Only this split is unpacked: all six would take 1.7 GB.
    """
    from torchvision.datasets import EMNIST
    from torchvision.datasets.utils import download_url

    if download:
        raw, prefix = root / "EMNIST" / "raw", "emnist-balanced-"
        files = _idx_files({f"{prefix}{part}": count for part, count in EMNIST_COUNTS.items()})
        if not all(_is_whole(raw / name, size) for name, size in files.items()):
            download_url(EMNIST.url, raw, md5=EMNIST.md5)
        for name, size in files.items():
            _unpack(raw / name, size, partial(_open_in_zip, raw / "gzip.zip", f"gzip/{name}.gz"))
    parts = [EMNIST(root, split="balanced", train=part, download=False) for part in (True, False)]
    images = [part.data.numpy().transpose(0, 2, 1)[:, None] for part in parts]
    return _raw(images, [part.targets for part in parts], parts[0].classes)


def cifar(class_name: str) -> Reader:
    """CIFAR10 or CIFAR100: 50,000 + 10,000 images (3, 32, 32)."""

    def read(root: Path, download: bool) -> RawImages:
        import torchvision.datasets

        dataset = getattr(torchvision.datasets, class_name)
        parts = [dataset(root, train=part, download=download) for part in (True, False)]
        names = [name.replace("_", " ") for name in parts[0].classes]
        return _raw([part.data.transpose(0, 3, 1, 2) for part in parts], [part.targets for part in parts], names)

    return read


def svhn(root: Path, download: bool) -> RawImages:
    """Street View House Numbers: 73,257 + 26,032 images (3, 32, 32)."""
    from torchvision.datasets import SVHN

    parts = [SVHN(root, split=part, download=download) for part in ("train", "test")]
    return _raw([part.data for part in parts], [part.labels for part in parts], DIGITS)


def stl10(root: Path, download: bool) -> RawImages:
    """STL-10: 5,000 + 8,000 labelled images (3, 96, 96); the unlabelled ones are left out."""
    from torchvision.datasets import STL10

    parts = [STL10(root, split=part, download=download) for part in ("train", "test")]
    return _raw([part.data for part in parts], [part.labels for part in parts], parts[0].classes)


def eurosat(root: Path, download: bool) -> RawImages:
    """EuroSAT in RGB: 27,000 JPEG images of 64 × 64, no test images of its own."""
    from torchvision.datasets import EuroSAT

    if download:
        _set_aside_incomplete(root / "eurosat" / "2750", "*/*.jpg", 27_000)
    dataset = EuroSAT(root, download=download)
    names = [re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize() for name in dataset.classes]
    paths, labels = zip(*dataset.samples, strict=True)
    return RawImages(_open_all(paths), np.array(labels, np.int64), tuple(names))


def flowers102(root: Path, download: bool) -> RawImages:
    """Oxford 102 Flower: 2,040 + 6,149 JPEG images about 500 pixels high; its "val" images are training images here."""
    from torchvision.datasets import Flowers102

    if download:
        _set_aside_incomplete(root / "flowers-102" / "jpg", "*.jpg", 8_189)
    parts = [Flowers102(root, split=part, download=download) for part in ("train", "val", "test")]
    paths = [path for part in parts for path in part._image_files]
    labels = np.array([label for part in parts for label in part._labels], np.int64)
    is_test = np.arange(len(labels)) >= len(parts[0]) + len(parts[1])
    return RawImages(_open_all(paths), labels, tuple(Flowers102.classes), is_test)


def _raw(images: list[NDArray[np.uint8]], labels: list[Any], classes: Iterable[str]) -> RawImages:
    """Training images and labels first, test images and labels after them."""
    if [len(part) for part in images] != [len(part) for part in labels]:
        raise ValueError("images and labels differ in number")
    joined = np.concatenate([np.asarray(part, np.int64) for part in labels])
    is_test = np.arange(len(joined)) >= len(labels[0])
    return RawImages(np.concatenate(images), joined, tuple(classes), is_test)


def _open_all(paths: Iterable[str | Path]) -> Iterator[Image.Image]:
    for path in map(Path, paths):
        try:
            with Image.open(path) as image:
                yield image.convert("RGB")
        except (OSError, ValueError, SyntaxError):
            raise DatasetUnavailableError(
                f"{path.name} in {path.parent} is damaged or cut short. Delete that folder and try again."
            ) from None


def _idx_files(counts: dict[str, int]) -> dict[str, int]:
    """Name and size in bytes of the unpacked idx files of 28 × 28 images, given prefix -> number of images."""
    return {
        f"{prefix}-{kind}": header + count * (784 if "images" in kind else 1)
        for prefix, count in counts.items()
        for kind, header in IDX_HEADER.items()
    }


def _is_whole(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def _unpack(path: Path, size: int, archive: Callable[[], gzip.GzipFile]) -> None:
    """Make `path` the whole unpacked file of `size` bytes where the archive allows it, and never leave half a one."""
    if _is_whole(path, size):
        return
    path.unlink(missing_ok=True)
    part = path.with_name(f"{path.name}.part")
    try:
        with archive() as packed, part.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)
        if _is_whole(part, size):
            os.replace(part, path)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, KeyError):
        pass  # no usable archive here: it is downloaded next, or reported as missing
    finally:
        part.unlink(missing_ok=True)


def _open_in_zip(archive: Path, member: str) -> gzip.GzipFile:
    with zipfile.ZipFile(archive) as opened:
        return gzip.GzipFile(fileobj=opened.open(member))


def _set_aside_incomplete(folder: Path, pattern: str, images: int) -> None:
    """Rename a folder with too few images, as torchvision takes any folder of that name for a whole one."""
    if folder.is_dir() and sum(1 for _ in folder.glob(pattern)) < images:
        aside = folder.with_name(f"{folder.name}.incomplete")
        shutil.rmtree(aside, ignore_errors=True)
        folder.rename(aside)
