"""Readers against torchvision's own images, on miniature originals in each data set's real layout."""

import gzip
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torchvision.datasets as tv
from numpy.typing import NDArray
from PIL import Image
from scipy.io import savemat

from cnn_core.data.dataset import RawImages
from cnn_core.data.sources import torchvision_readers as read
from cnn_core.data.sources.idx import read_idx

RNG = np.random.default_rng(0)


def pixels(*shape: int) -> NDArray[np.uint8]:
    return RNG.integers(0, 256, shape, np.uint8)


def idx_bytes(values: NDArray[np.uint8]) -> bytes:
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()


def write_idx(path: Path, values: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(idx_bytes(values)) if path.suffix == ".gz" else idx_bytes(values))


def write_mnist(folder: Path, ending: str = ".gz") -> None:
    for name, count in (("train", 20), ("t10k", 10)):
        write_idx(folder / f"{name}-images-idx3-ubyte{ending}", pixels(count, 28, 28))
        write_idx(folder / f"{name}-labels-idx1-ubyte{ending}", np.arange(count, dtype=np.uint8) % 10)


def write_cifar(root: Path) -> None:
    folder = root / "cifar-10-batches-py"
    folder.mkdir()
    for name in ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"):
        entry = {"data": pixels(4, 3072), "labels": RNG.integers(0, 10, 4).tolist()}
        (folder / name).write_bytes(pickle.dumps(entry))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list(tv.CIFAR10.meta)}))


def write_svhn(root: Path) -> None:
    for name in ("train_32x32.mat", "test_32x32.mat"):
        savemat(root / name, {"X": pixels(32, 32, 3, 7), "y": RNG.integers(1, 11, (7, 1))})


def write_stl10(root: Path) -> None:
    folder = root / "stl10_binary"
    folder.mkdir()
    for name in ("train", "test"):
        pixels(3, 3, 96, 96).tofile(folder / f"{name}_X.bin")
        np.array([1, 10, 4], np.uint8).tofile(folder / f"{name}_y.bin")
    (folder / "unlabeled_X.bin").touch()
    (folder / "class_names.txt").write_text("\n".join(map(str, range(10))))


def write_eurosat(root: Path) -> None:
    for name in ("AnnualCrop", "SeaLake"):
        folder = root / "eurosat" / "2750" / name
        folder.mkdir(parents=True)
        for number in range(3):
            Image.fromarray(pixels(64, 64, 3)).save(folder / f"{name}_{number}.jpg")


def write_flowers(root: Path) -> None:
    folder = root / "flowers-102"
    (folder / "jpg").mkdir(parents=True)
    for number in range(1, 7):
        Image.fromarray(pixels(50 + number, 60, 3)).save(folder / "jpg" / f"image_{number:05d}.jpg")
    savemat(folder / "imagelabels.mat", {"labels": np.array([[1, 102, 3, 4, 5, 6]])})
    savemat(folder / "setid.mat", {"trnid": [[2, 1]], "valid": [[4, 3]], "tstid": [[6, 5]]})


@pytest.fixture
def any_checksum(monkeypatch: pytest.MonkeyPatch) -> None:
    """torchvision takes files of any content for the originals."""
    for module in (tv.cifar, tv.svhn, tv.stl10, tv.flowers102):
        monkeypatch.setattr(module, "check_integrity", lambda path, md5=None: Path(path).is_file())


def assert_same(raw: RawImages, train: list[Any], test: list[Any]) -> None:
    """`raw` holds what torchvision's data sets give image by image: training parts first, then test parts."""
    theirs = [item for part in (*train, *test) for item in part]
    ours = list(raw.images)
    assert len(ours) == len(theirs) == len(raw.labels)
    for mine, (image, label), number in zip(ours, theirs, raw.labels, strict=True):
        wanted = np.asarray(image)
        wanted = wanted[None] if wanted.ndim == 2 else wanted.transpose(2, 0, 1)
        got = np.asarray(mine).transpose(2, 0, 1) if isinstance(mine, Image.Image) else mine
        assert np.array_equal(got, wanted)
        assert number == label
    if raw.is_test is not None:
        assert raw.is_test.sum() == sum(map(len, test))
        assert raw.is_test[-1]
        assert not raw.is_test[0]


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "KMNIST"])
@pytest.mark.parametrize("ending", [".gz", ""])
def test_mnist_and_its_followers_packed_or_not(name: str, ending: str, tmp_path: Path) -> None:
    write_mnist(tmp_path / name / "raw", ending)
    raw = read.mnist_family(name, 20, 10)(tmp_path, True)
    dataset = getattr(tv, name)
    assert_same(raw, [dataset(tmp_path, train=True)], [dataset(tmp_path, train=False)])
    assert raw.classes == tuple(dataset.classes)


def test_a_half_unpacked_file_is_unpacked_again(tmp_path: Path) -> None:
    folder = tmp_path / "MNIST" / "raw"
    write_mnist(folder)
    half = gzip.decompress((folder / "train-images-idx3-ubyte.gz").read_bytes())[:5000]
    (folder / "train-images-idx3-ubyte").write_bytes(half)
    raw = read.mnist_family("MNIST", 20, 10)(tmp_path, True)
    assert np.array_equal(np.asarray(raw.images)[:20, 0], read_idx(folder / "train-images-idx3-ubyte.gz"))


@pytest.mark.parametrize("damage", [b"", b"not gzip", gzip.compress(b"too short", mtime=0)])
def test_a_damaged_packed_file_leaves_no_unpacked_one(damage: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "MNIST" / "raw"
    write_mnist(folder)
    (folder / "train-images-idx3-ubyte.gz").write_bytes(damage)
    with pytest.raises(RuntimeError, match="Error downloading"):
        read.mnist_family("MNIST", 20, 10)(tmp_path, True)
    assert not (folder / "train-images-idx3-ubyte").exists()
    assert not list(folder.glob("*.part"))


def test_emnist_is_upright_and_only_its_balanced_split_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "EMNIST_COUNTS", {"train": 20, "test": 10})
    monkeypatch.setattr("torchvision.datasets.utils.download_url", lambda *args, **kwargs: None)
    folder = tmp_path / "EMNIST" / "raw"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "gzip.zip", "w") as archive:
        for part, count in (("train", 20), ("test", 10)):
            images, labels = pixels(count, 28, 28), np.arange(count, dtype=np.uint8)
            for split in ("balanced", "letters"):
                stem = f"gzip/emnist-{split}-{part}"
                archive.writestr(f"{stem}-images-idx3-ubyte.gz", gzip.compress(idx_bytes(images)))
                archive.writestr(f"{stem}-labels-idx1-ubyte.gz", gzip.compress(idx_bytes(labels)))
    raw = read.emnist_balanced(tmp_path, True)
    upright = [tv.EMNIST(tmp_path, "balanced", train=part, transform=turned) for part in (True, False)]
    assert_same(raw, upright[:1], upright[1:])
    assert len(raw.classes) == 47
    assert not list(folder.glob("*letters*"))


def turned(image: Image.Image) -> Image.Image:
    return image.transpose(Image.Transpose.TRANSPOSE)


@pytest.mark.usefixtures("any_checksum")
def test_cifar10(tmp_path: Path) -> None:
    write_cifar(tmp_path)
    raw = read.cifar("CIFAR10")(tmp_path, True)
    assert_same(raw, [tv.CIFAR10(tmp_path, train=True)], [tv.CIFAR10(tmp_path, train=False)])


@pytest.mark.usefixtures("any_checksum")
def test_svhn(tmp_path: Path) -> None:
    write_svhn(tmp_path)
    raw = read.svhn(tmp_path, False)
    assert_same(raw, [tv.SVHN(tmp_path, "train")], [tv.SVHN(tmp_path, "test")])
    assert raw.labels.max() < len(raw.classes)


@pytest.mark.usefixtures("any_checksum")
def test_stl10(tmp_path: Path) -> None:
    write_stl10(tmp_path)
    raw = read.stl10(tmp_path, True)
    assert_same(raw, [tv.STL10(tmp_path, "train")], [tv.STL10(tmp_path, "test")])


def test_eurosat(tmp_path: Path) -> None:
    write_eurosat(tmp_path)
    raw = read.eurosat(tmp_path, False)
    assert_same(raw, [tv.EuroSAT(tmp_path)], [])
    assert raw.classes == ("Annual crop", "Sea lake")
    assert raw.is_test is None


@pytest.mark.usefixtures("any_checksum")
def test_flowers102(tmp_path: Path) -> None:
    write_flowers(tmp_path)
    raw = read.flowers102(tmp_path, False)
    parts = [tv.Flowers102(tmp_path, part) for part in ("train", "val", "test")]
    assert_same(raw, parts[:2], parts[2:])
    assert raw.labels.tolist() == [101, 0, 3, 2, 5, 4]


def test_a_half_unpacked_folder_is_not_taken_for_a_whole_one(tmp_path: Path) -> None:
    write_eurosat(tmp_path)
    with pytest.raises(OSError, match="refused"):
        read.eurosat(tmp_path, True)
    assert not (tmp_path / "eurosat" / "2750").exists()
    assert len(list((tmp_path / "eurosat" / "2750.incomplete").rglob("*.jpg"))) == 6


def test_a_folder_that_may_not_be_changed_is_left_as_it_is(tmp_path: Path) -> None:
    write_eurosat(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    read.eurosat(tmp_path, False)
    with pytest.raises(RuntimeError):
        read.svhn(tmp_path, False)
    assert sorted(tmp_path.rglob("*")) == before
