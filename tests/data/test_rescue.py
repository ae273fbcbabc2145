"""An imported data set with damaged files: as it was, or a sentence on what is left; never advice to delete it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cnn_core.data.catalogue import versions
from cnn_core.data.catalogue.library import is_ready, open_dataset, prepare
from cnn_core.data.catalogue.recovery import recover
from cnn_core.data.catalogue.rescue import SPARE
from cnn_core.data.dataset import SPLITS, ImageDataset
from cnn_core.data.explore.statistics import sample
from cnn_core.data.incoming.archives.archive import open_archive
from cnn_core.data.incoming.import_spec import ImportSpec
from cnn_core.data.incoming.importing import import_images
from cnn_core.data.incoming.labels.layout import read_layout
from cnn_core.errors import DamagedDatasetError, DatasetUnavailableError, PlaygroundError
from tests.data.images import two_classes, write_zip

NUMBERS = ("labels.npy", "train.npy", "validation.npy", "test.npy")
SMALL = ("about.json", "meta.json", *NUMBERS, "items.json", "report.json")
COUNT = 40


@pytest.fixture
def imported(home: Path, tmp_path: Path) -> ImageDataset:
    files = open_archive(write_zip(tmp_path / "clothes.zip", two_classes(COUNT // 2)))
    layout = read_layout([entry.path for entry in files.entries()])
    return open_dataset(import_images(files, layout, ImportSpec(size=28), "Clothes", made_by="Ada").dataset)


def truncated(path: Path, share: float) -> None:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def garbled(path: Path, first: int, last: int | None = None) -> None:
    data = bytearray(path.read_bytes())
    data[first:last] = np.random.default_rng(0).bytes(len(data[first:last]))
    path.write_bytes(data)


DAMAGE: dict[str, Callable[[Path], None]] = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "half": lambda path: truncated(path, 0.5),
    "garbage": lambda path: garbled(path, 0),
    "garbage at the start": lambda path: garbled(path, 0, 40),
    "garbage at the end": lambda path: garbled(path, -9),
    "another file": lambda path: path.write_bytes(b"PK\3\4" + bytes(300)),
    "other JSON": lambda path: path.write_bytes(b"[1, 2]"),
    "a null": lambda path: path.write_bytes(b"null"),
}


def same(one: ImageDataset, other: ImageDataset) -> bool:
    arrays = [(one.images, other.images), (one.labels, other.labels)]
    arrays += [(one.splits[split], other.splits[split]) for split in SPLITS]
    described = [(data.name, data.classes, data.content_hash, data.mean, data.std, data.fit) for data in (one, other)]
    return all(np.array_equal(*pair) for pair in arrays) and described[0] == described[1]


def copied(dataset: ImageDataset) -> ImageDataset:
    """In memory, so that damage to the files does not reach it."""
    return ImageDataset(**{**dataset.__dict__, "images": np.array(dataset.images)})


def look_at_everything(dataset: ImageDataset) -> None:
    known = versions.about(dataset.name)
    assert known in versions.own_datasets()
    assert (known.title, known.images, known.classes) == ("Clothes", COUNT, 2)
    assert is_ready(known.id)
    assert prepare(known.id, 16).shape == (3, 16, 16)
    told = versions.items(dataset.folder)
    assert len({len(values) for values in told.values()}) == 1
    assert versions.report(dataset.folder).get("added", COUNT) == COUNT
    assert len(sample(dataset, "train", 0, 4)) == 4
    assert versions.derive(dataset, "", removed=[0]).images == COUNT - 1


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", SMALL)
def test_a_damaged_small_file_is_mended(name: str, damage: str, imported: ImageDataset) -> None:
    before = copied(imported)
    DAMAGE[damage](before.folder / name)
    assert same(open_dataset(before.name), before)
    assert same(ImageDataset.open(before.folder), before) or name not in versions.ITEMS, "it is written anew"
    look_at_everything(open_dataset(before.name))


@pytest.mark.parametrize("damage", ["garbage", "half", "missing"])
@pytest.mark.parametrize("name", SMALL)
def test_without_a_second_copy_one_file_follows_from_the_others(name: str, damage: str, imported: ImageDataset) -> None:
    before = copied(imported)
    shutil.rmtree(before.folder / SPARE)  # as in data sets of earlier versions
    DAMAGE[damage](before.folder / name)
    assert same(open_dataset(before.name), before)


ABSURD = (-1, 0, 10**30, 28.5, float("nan"), "28", True, None, [28])


def absurd(folder: Path, name: str, value: object) -> None:
    path = folder / "about.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {name: value}))


@pytest.mark.parametrize("value", [*ABSURD, 27, 29])
def test_an_absurd_size_is_mended(value: object, imported: ImageDataset) -> None:
    before = copied(imported)
    absurd(before.folder, "size", value)
    look_at_everything(open_dataset(before.name))
    assert same(open_dataset(before.name), before)


SENSIBLE = [("version", 0), ("looks", 0), ("created", 0), ("created", 28.5), ("note", "28")]
DESCRIBED = ("channels", "images", "classes", "version", "looks", "created", "note")
PAIRS = [(name, value) for name in DESCRIBED for value in ABSURD if (name, value) not in SENSIBLE]


@pytest.mark.parametrize(("name", "value"), PAIRS)
def test_other_absurd_values_are_mended(name: str, value: object, imported: ImageDataset) -> None:
    before = versions.about(imported.name)
    absurd(imported.folder, name, value)
    assert versions.about(imported.name) == before
    assert same(open_dataset(imported.name), imported)


@pytest.mark.parametrize("value", ABSURD)
def test_without_a_second_copy_absurd_numbers_are_a_sentence(value: object, imported: ImageDataset) -> None:
    shutil.rmtree(imported.folder / SPARE)
    (imported.folder / "report.json").unlink()
    (imported.folder / "labels.npy").write_bytes(b"")
    for name in ("size", "images", "channels"):
        absurd(imported.folder, name, value)
    with pytest.raises(PlaygroundError):
        open_dataset(imported.name)


def test_the_copy_mends_all_small_files_at_once_and_damage_of_the_copy_harms_nothing(imported: ImageDataset) -> None:
    before = copied(imported)
    for name in SMALL:
        (before.folder / name).write_bytes(b"")
    assert same(open_dataset(before.name), before)
    assert versions.about(before.name).made_by == "Ada"
    for path in (before.folder / SPARE).iterdir():
        path.write_bytes(b"")
    assert same(open_dataset(before.name), before)


def test_a_copy_is_never_made_of_damage(imported: ImageDataset) -> None:
    before = copied(imported)
    garbled(before.folder / "labels.npy", 0)
    versions.rename(before.name, "Other")
    versions.count_look(before.name)
    assert same(open_dataset(before.name), before)
    assert (versions.about(before.name).name, versions.about(before.name).looks) == ("Other", 1)


def test_the_header_of_the_images_is_mended(imported: ImageDataset) -> None:
    before = copied(imported)
    garbled(before.folder / "images.npy", 0, 128)
    assert same(open_dataset(before.name), before)
    assert same(ImageDataset.open(before.folder), before)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.99])
def test_what_is_left_of_the_images_becomes_a_new_version(share: float, imported: ImageDataset) -> None:
    before = copied(imported)
    truncated(before.folder / "images.npy", share)
    left = (int((before.folder / "images.npy").stat().st_size) - 128) // (3 * 28 * 28)
    with pytest.raises(DamagedDatasetError) as raised:
        open_dataset(before.name)
    assert f"The files of Clothes in {before.folder} are damaged. {left} of its 40 images can be recovered" in str(
        raised.value
    )
    assert raised.value.recoverable == left
    assert "elete" not in str(raised.value)
    assert "The original files are not kept here" in str(raised.value)
    known = recover(before.name)
    assert (known.title, known.made_by, known.note) == ("Clothes · v2", "Ada", f"{left} of 40 images recovered.")
    new = open_dataset(known.id)
    assert np.array_equal(new.images, before.images[:left])
    assert np.array_equal(new.labels, before.labels[:left])
    for split in SPLITS:
        assert np.array_equal(new.splits[split], before.splits[split][before.splits[split] < left])
    assert len(versions.items(new.folder)["file"]) == left
    assert (before.folder / "images.npy").exists(), "what is damaged stays as it is"


@pytest.mark.parametrize("damage", ["missing", "empty", "other JSON"])
def test_lost_images_are_told_and_cannot_be_recovered(damage: str, imported: ImageDataset) -> None:
    DAMAGE[damage](imported.folder / "images.npy")
    for call in (open_dataset, recover, lambda name: prepare(name, 16)):
        with pytest.raises(DamagedDatasetError, match="Its images are lost, so nothing can be recovered") as raised:
            call(imported.name)
        assert raised.value.recoverable == 0
        assert "elete" not in str(raised.value)


def test_lost_labels_are_told(imported: ImageDataset) -> None:
    shutil.rmtree(imported.folder / SPARE)
    for name in ("labels.npy", "items.json"):
        (imported.folder / name).unlink()
    with pytest.raises(DamagedDatasetError, match="Which class and split its images belong to is lost"):
        open_dataset(imported.name)


def test_other_sizes_are_made_again_from_it(imported: ImageDataset) -> None:
    small = prepare(imported.name, 16)
    pixels = np.array(small.images)
    (small.folder / "labels.npy").write_bytes(b"")
    with pytest.raises(DatasetUnavailableError, match="Delete that folder"):
        prepare(imported.name, 16)
    shutil.rmtree(small.folder)
    assert np.array_equal(prepare(imported.name, 16).images, pixels)
    assert open_dataset(imported.name).images.shape == (COUNT, 3, 28, 28)


def test_a_deleted_version_does_not_come_back(imported: ImageDataset) -> None:
    (imported.folder / "about.json").unlink()
    versions.delete(imported.name)
    assert versions.own_datasets() == []
    assert not imported.folder.exists()
