"""Importing once, whoever asks, and whatever gets in the way."""

import os
import shutil
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cnn_core.data.catalogue import library
from cnn_core.data.catalogue.library import Progress, is_ready, open_dataset, preparation, prepare
from cnn_core.data.catalogue.registry import dataset_sources
from cnn_core.data.sources.source import DatasetSource
from cnn_core.errors import DatasetUnavailableError, RecipeError, UnknownNameError

ROOT = Path(__file__).parents[2]
SAMPLE_HASH = "e746483ece981ba6abd9dd26c3b57aac2c0cff57db9c990bdb8ec24bdf962f4e"
BUNDLED_SECONDS = 3.0  # ten times what it takes: other processes may be at work


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> DatasetSource:
    """The slow source's name and folders, known here as well; its images are read in other processes only."""
    source = replace(dataset_sources.get("digits"), name="slow", files=("slow.bin",), download_megabytes=1)
    monkeypatch.setitem(dataset_sources._things, "slow", source)
    return source


@pytest.fixture
def start(home: Path) -> Iterator[object]:
    """Starts a process that imports the slow source."""
    processes = []

    def start(seconds: float) -> subprocess.Popen[str]:
        command = [sys.executable, ROOT / "tests" / "data" / "slow_source.py", home / "log", str(seconds)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        processes.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True))
        return processes[-1]

    home.mkdir()
    yield start
    for process in processes:
        process.kill()
        process.communicate()


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.01)


def test_two_processes_that_ask_at_once_import_once(home: Path, start) -> None:
    processes = [start(0.5), start(0.5)]
    hashes = [process.communicate(timeout=30)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert hashes[0] == hashes[1] != ""
    assert (home / "log").read_text() == "read\n"


def test_another_process_sees_the_import_under_way_and_waits_for_it(home: Path, start, slow: DatasetSource) -> None:
    process = start(1.5)
    wait_for(home / "datasets" / "slow.progress.json")
    seen = preparation("slow")
    assert seen == Progress("downloading", 0, 1, "MB")
    assert preparation("slow", 16) is None
    reports: list[Progress] = []
    dataset = prepare("slow", progress=reports.append)
    assert reports
    assert dataset.content_hash == process.communicate(timeout=30)[0].strip()
    assert preparation("slow") is None


def test_a_killed_import_leaves_nothing_in_the_way(home: Path, start, slow: DatasetSource) -> None:
    process = start(30)
    wait_for(home / "datasets" / "slow.progress.json")
    process.kill()
    process.wait()
    (home / "datasets" / "slow-8.partial").mkdir()
    assert preparation("slow") is None
    assert not is_ready("slow")
    assert start(0).communicate(timeout=30)[0]
    assert is_ready("slow")
    assert sorted(path.name for path in (home / "datasets").iterdir()) == ["slow-8", "slow.lock"]


def test_the_bundled_images_open_fast_and_are_always_the_same(home: Path) -> None:
    seconds = []
    for _ in range(3):  # the best of three
        shutil.rmtree(home, ignore_errors=True)
        start = time.perf_counter()
        dataset = open_dataset("fashion_mnist_sample")
        seconds.append(time.perf_counter() - start)
    assert dataset.content_hash == SAMPLE_HASH
    assert {name: len(indices) for name, indices in dataset.splits.items()} == {
        "train": 10_800,
        "validation": 1_200,
        "test": 2_000,
    }
    assert min(seconds) < BUNDLED_SECONDS


def test_images_are_mapped_and_a_change_stays_off_the_disk(home: Path) -> None:
    images = open_dataset("digits").images
    assert isinstance(images, np.memmap)
    torch.from_numpy(images).zero_()  # no warning either: torch wants writable arrays
    assert open_dataset("digits").images.any()


def test_sizes_live_side_by_side(home: Path) -> None:
    small, own, same = (prepare("digits", size) for size in (4, 0, 8))
    assert small.shape == (1, 4, 4)
    assert small.folder.name == "digits-4"
    assert own.folder == same.folder
    assert small.content_hash != own.content_hash
    assert np.array_equal(small.labels, own.labels)


def test_progress_counts_images(home: Path) -> None:
    reports: list[Progress] = []
    prepare("digits", 16, reports.append)
    assert reports[-1] == Progress("importing", 1797, 1797, "images")
    done = [report.done for report in reports]
    assert done == sorted(done)
    prepare("digits", 16, reports.append)
    assert len(reports) == len(done)


@pytest.mark.parametrize("image_size", [-1, 257, 10**9])
def test_an_impossible_size_is_a_sentence(image_size: int, home: Path) -> None:
    with pytest.raises(RecipeError, match=r"choose 0 .* to 256"):
        prepare("digits", image_size)


@pytest.mark.parametrize("ask", [is_ready, prepare, open_dataset, preparation])
@pytest.mark.parametrize("name", ["../../etc", "fashion_mnist_sampel", ""])
def test_an_unknown_name_lists_the_known_ones(ask, name: str, home: Path) -> None:
    with pytest.raises(UnknownNameError, match="fashion_mnist_sample, digits"):
        ask(name)
    assert not home.exists()


@pytest.mark.parametrize("file", ["images.npy", "labels.npy", "test.npy", "meta.json"])
def test_a_damaged_import_says_what_to_delete(file: str, home: Path) -> None:
    folder = prepare("digits").folder
    (folder / file).write_bytes((folder / file).read_bytes()[:50])
    with pytest.raises(DatasetUnavailableError, match="Delete that folder and try again") as raised:
        open_dataset("digits")
    assert str(folder) in str(raised.value)


def test_a_folder_without_its_meta_file_is_imported_again(home: Path) -> None:
    folder = prepare("digits").folder
    (folder / "meta.json").unlink()
    assert not is_ready("digits")
    assert len(open_dataset("digits").images) == 1797


PIXELS = 1797 * 96 * 96  # 16.6 MB


@pytest.mark.parametrize(
    ("size", "free", "part"),
    [
        (96, 0, "needs 17 MB in .*, but 0 MB are free"),
        (96, PIXELS - 1, "needs 17 MB in .*, but 16 MB are free"),
        (8, 1000, "needs 1 MB in .*, but 0 MB are free"),
    ],
)
def test_a_full_disk_is_told_before_anything_is_written(
    home: Path, monkeypatch: pytest.MonkeyPatch, size: int, free: int, part: str
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(library.shutil, "disk_usage", lambda path: usage(10**9, 10**9, free))
    with pytest.raises(DatasetUnavailableError, match=part):
        prepare("digits", size)
    assert not list((home / "datasets").glob("digits-*"))


def test_just_enough_room_is_enough(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(library.shutil, "disk_usage", lambda path: usage(10**9, 10**9, PIXELS))
    assert prepare("digits", 96).image_size == 96


def test_a_report_that_cannot_be_written_does_not_end_an_import(home: Path) -> None:
    (home / "datasets" / "digits.progress.draft").mkdir(parents=True)
    assert prepare("digits").image_size == 8


def test_a_folder_that_cannot_be_written_is_a_sentence(home: Path) -> None:
    home.write_text("a file where the folder should be")
    with pytest.raises(DatasetUnavailableError, match=r"could not be written to .* \(Not a directory\)"):
        prepare("digits")
    assert preparation("digits") is None


def test_a_stop_from_the_progress_callback_leaves_nothing_behind(home: Path) -> None:
    def stop(report: Progress) -> None:
        if report.done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare("digits", 16, stop)
    assert [path.name for path in (home / "datasets").iterdir()] == ["digits.lock"]
    assert preparation("digits", 16) is None
