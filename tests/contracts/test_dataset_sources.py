"""What every data set source owes."""

import re
from pathlib import Path

import numpy as np
import pytest

from cnn_core.data.augmentation.steps import read_steps
from cnn_core.data.catalogue.library import is_ready, open_dataset, prepare
from cnn_core.data.catalogue.registry import BUILT_IN
from cnn_core.data.sources.source import DatasetSource
from cnn_core.errors import DatasetUnavailableError

EVERY = pytest.mark.parametrize("source", BUILT_IN, ids=lambda source: source.name)
OFFLINE = pytest.mark.parametrize(
    "source", [source for source in BUILT_IN if not source.files], ids=lambda source: source.name
)
ONLINE = pytest.mark.parametrize(
    "source", [source for source in BUILT_IN if source.files], ids=lambda source: source.name
)


@pytest.fixture
def bare(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No network, and no folder of the operator's either."""
    monkeypatch.setenv("CNN_PLAYGROUND_DATASET_FOLDERS", "[]")
    return home


@EVERY
def test_it_says_what_it_is(source: DatasetSource) -> None:
    assert re.fullmatch(r"[a-z0-9_]+", source.name)
    assert source.description.endswith(".")
    assert source.title
    assert source.licence
    assert source.homepage.startswith("http")
    assert source.channels in (1, 3)
    assert 0 < source.size <= 256
    assert bool(source.files) == bool(source.download_megabytes)


@EVERY
def test_its_recommended_augmentation_is_valid(source: DatasetSource) -> None:
    assert len(read_steps(source.augment)) == len(source.augment)


@OFFLINE
@pytest.mark.parametrize("image_size", [0, 12])
def test_an_offline_one_is_imported_whole(source: DatasetSource, image_size: int, home: Path) -> None:
    assert not is_ready(source.name, image_size)
    dataset = open_dataset(source.name, image_size)
    assert is_ready(source.name, image_size)
    size = image_size or source.size
    assert dataset.shape == (source.channels, size, size)
    assert dataset.images.dtype == np.uint8
    assert dataset.images.max() > 200
    assert len(dataset.images) == len(dataset.labels) == source.images
    assert dataset.labels.dtype == np.int64
    assert len(dataset.classes) == len(set(dataset.classes)) == source.classes
    assert sorted(set(dataset.labels.tolist())) == list(range(source.classes))


@OFFLINE
def test_its_splits_are_disjoint_cover_all_and_keep_the_shares_of_the_classes(
    source: DatasetSource, home: Path
) -> None:
    dataset = open_dataset(source.name)
    assert sorted(np.concatenate(list(dataset.splits.values())).tolist()) == list(range(source.images))
    whole = np.bincount(dataset.labels) / source.images
    for indices in dataset.splits.values():
        assert np.array_equal(indices, np.sort(indices))
        share = np.bincount(dataset.labels[indices], minlength=source.classes) / len(indices)
        assert np.abs(share - whole).max() < 0.005


@OFFLINE
def test_mean_and_deviation_are_those_of_its_training_pixels(source: DatasetSource, home: Path) -> None:
    dataset = open_dataset(source.name)
    pixels = dataset.images[dataset.splits["train"]].astype(np.float64) / 255
    np.testing.assert_allclose(dataset.mean, pixels.mean((0, 2, 3)), rtol=1e-9)
    np.testing.assert_allclose(dataset.std, pixels.std((0, 2, 3)), rtol=1e-9)


@OFFLINE
def test_its_hash_is_that_of_its_content(
    source: DatasetSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = []
    for home in ("one", "another"):
        monkeypatch.setenv("CNN_PLAYGROUND_HOME", str(tmp_path / home))
        hashes.append(open_dataset(source.name).content_hash)
    assert hashes[0] == hashes[1]


@ONLINE
def test_without_a_network_an_online_one_says_what_is_missing_and_where_it_goes(
    source: DatasetSource, bare: Path
) -> None:
    with pytest.raises(DatasetUnavailableError) as raised:
        prepare(source.name)
    sentence = str(raised.value)
    assert sentence.startswith(f"{source.title} could not be downloaded (")
    assert "Errno" not in sentence
    assert "try again" in sentence
    assert "get from http" in sentence
    for file in source.files:
        assert Path(file).name in sentence
        assert str((bare / "downloads" / file).parent) in sentence
    assert not is_ready(source.name)
    assert not list((bare / "datasets").glob("*.partial"))


@ONLINE
def test_an_online_one_is_not_fetched_behind_the_page_s_back(source: DatasetSource, bare: Path) -> None:
    with pytest.raises(DatasetUnavailableError, match="not here yet"):
        open_dataset(source.name)
    assert not (bare / "downloads").exists()


@ONLINE
def test_half_a_download_is_named_and_not_taken_for_a_whole_one(source: DatasetSource, bare: Path) -> None:
    for file in source.files:
        path = bare / "downloads" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\x1f\x8b half a file")
    with pytest.raises(DatasetUnavailableError, match=r"[Dd]amaged or cut short") as raised:
        prepare(source.name)
    assert all(Path(file).name in str(raised.value) for file in source.files)
