"""Data sets that people imported: versions, names, looks, and how recipes reach them."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from cnn_core.data.catalogue import versions
from cnn_core.data.catalogue.library import open_dataset, prepare
from cnn_core.data.catalogue.registry import dataset_sources
from cnn_core.data.dataset import SPLITS, ImageDataset
from cnn_core.errors import PlaygroundError, UnknownNameError


@pytest.fixture
def digits(home: Path) -> ImageDataset:
    return open_dataset("digits")


def test_a_derived_version_has_the_other_images_in_their_splits(digits: ImageDataset) -> None:
    gone, changed = digits.splits["train"][:5].tolist(), int(digits.splits["validation"][0])
    known = versions.derive(digits, "Digits, mended", removed=gone, relabelled={changed: 3}, made_by="Ada")
    new = open_dataset(known.id)
    kept = np.delete(np.arange(len(digits.labels)), gone)
    assert np.array_equal(new.images, digits.images[kept])
    for split in SPLITS:
        assert set(kept[new.splits[split]]) == set(digits.splits[split]) - set(gone)
    assert new.labels[np.flatnonzero(kept == changed)[0]] == 3
    others = kept != changed
    assert np.array_equal(new.labels[others], digits.labels[kept][others])
    assert (known.made_by, known.version, known.note) == ("Ada", 1, "5 removed and 1 relabelled.")
    assert known.content_hash == new.content_hash != digits.content_hash
    assert np.array_equal(open_dataset("digits").images, digits.images)


def test_versions_of_versions_are_counted(digits: ImageDataset) -> None:
    first = versions.derive(digits, "Mine", removed=[0])
    second = versions.derive(open_dataset(first.id), "ignored", removed=[0])
    assert (second.name, second.version, second.parent) == ("Mine", 2, first.id)
    assert second.title == "Mine · v2"
    assert [known.id for known in versions.own_datasets()] == [second.id, first.id]


def test_recipes_and_the_library_take_it_like_any_other(digits: ImageDataset) -> None:
    known = versions.derive(digits, "Mine", removed=[0])
    assert known.id in dataset_sources
    assert dataset_sources.get(known.id).title == "Mine"
    larger = prepare(known.id, 16)
    assert larger.shape == (1, 16, 16)
    for split in SPLITS:
        assert np.array_equal(larger.splits[split], open_dataset(known.id).splits[split])


def test_nothing_is_left_of_a_version_that_failed(digits: ImageDataset, home: Path) -> None:
    before = set(home.rglob("*"))
    with pytest.raises(PlaygroundError, match="leave no train image"):
        versions.derive(digits, "Mine", removed=digits.splits["train"])
    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert set(home.rglob("*")) == before


def fail_half_way() -> None:
    with versions.drafted() as folder:
        (folder / "half").write_text("x")
        raise ZeroDivisionError


def test_rename_takes_all_versions_along_and_refuses_a_taken_or_useless_name(digits: ImageDataset) -> None:
    first = versions.derive(digits, "Mine", removed=[0])
    second = versions.derive(open_dataset(first.id), "", removed=[0])
    other = versions.derive(digits, "Other", removed=[1])
    versions.rename(second.id, "  Ours ")
    assert {versions.about(one.id).name for one in (first, second)} == {"Ours"}
    for wrong in ("", " ", "a\nb", "x" * 81, "Other"):
        with pytest.raises(PlaygroundError):
            versions.rename(first.id, wrong)
    assert versions.about(other.id).name == "Other"


def test_deleted_means_gone_at_every_size(digits: ImageDataset, home: Path) -> None:
    known = versions.derive(digits, "Mine", removed=[0])
    prepare(known.id, 16)
    versions.delete(known.id)
    assert not list((home / "datasets").glob(f"{known.id}*"))
    assert known.id not in dataset_sources
    with pytest.raises(UnknownNameError, match="may have been deleted"):
        open_dataset(known.id)


def test_looks_at_the_test_images_are_counted(digits: ImageDataset) -> None:
    known = versions.derive(digits, "Mine", removed=[0])
    assert known.looks == 0
    assert [versions.count_look(known.id), versions.count_look(known.id)] == [1, 2]
    assert versions.about(known.id).looks == 2


@pytest.mark.parametrize("name", ["own-", "own-../../../etc", "own-00000000", "own-*", "own-0000000g"])
def test_no_name_becomes_a_path(home: Path, name: str) -> None:
    with pytest.raises(UnknownNameError, match="no data set called"):
        open_dataset(name)


def test_what_another_process_renames_writes_or_deletes_is_seen_at_once(home: Path) -> None:
    """The descriptions are kept in memory; each kind of change elsewhere shows in the next look."""
    known = [versions.derive(open_dataset("digits"), f"Mine {number}", removed=[number]) for number in range(3)]

    def elsewhere(code: str) -> None:
        subprocess.run([sys.executable, "-c", f"from cnn_core.data.catalogue import versions; {code}"], check=True)

    assert dataset_sources.get(known[0].id).title == "Mine 0"
    for name in ("Other", "Again", "Third"):  # names of one length
        elsewhere(f"versions.rename({known[0].id!r}, {name!r})")
        assert dataset_sources.get(known[0].id).title == name
        assert name in [about.name for about in versions.own_datasets()]
    elsewhere(f"versions.delete({known[1].id!r})")
    assert known[1].id not in dataset_sources
    with pytest.raises(UnknownNameError):
        dataset_sources.get(known[1].id)
    elsewhere(f"versions.count_look({known[2].id!r})")
    assert versions.about(known[2].id).looks == 1


def test_many_data_sets_are_read_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = versions.derive(open_dataset("digits"), "Mine", removed=[0])
    for number in range(60):
        about = replace(first, id=f"own-{number:08x}", name=f"Mine {number}")
        folder = versions.folder_of(about)
        folder.mkdir()
        (folder / versions.ABOUT).write_text(json.dumps(asdict(about)))
    reads: list[Path] = []
    read_text = Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda path, *more: reads.append(path) or read_text(path, *more))
    for _ in range(2):
        titles = [dataset_sources.get(name).title for name in dataset_sources.names()]
        assert len(titles) >= 61
    assert len(reads) == len(set(reads)) <= 61
