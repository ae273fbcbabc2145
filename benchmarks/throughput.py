"""Images per second through the product's own session, events and store writing included, against the tutorial loop."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.row import Row, at_least
from benchmarks.step import rows_of
from cnn_core.data.augmentation.presets import augment_presets
from cnn_core.data.augmentation.steps import read_steps
from cnn_core.data.catalogue.library import open_dataset
from cnn_core.data.dataset import ImageDataset, RawImages, write
from cnn_core.data.feed.batches import Batches
from cnn_core.data.splits import make_splits
from cnn_core.models.presets import layers_of
from cnn_core.recipe import NetworkSpec, Recipe, TrainingSpec
from cnn_core.runs.events import Report
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store
from cnn_core.training.session import TrainingSession

BATCH, SECONDS, REPEATS = 128, 3.0, 5
TUTORIAL = Path(__file__).with_name("tutorial.py")


@dataclass(frozen=True)
class Case:
    """A network, the shape it is measured on, and its targets with and without augmentation."""

    network: str
    shape: tuple[int, int, int]
    augmented: float
    plain: float


CASES = (
    Case("simple_cnn", (3, 32, 32), 4.0, 3.0),
    Case("one_conv_net", (3, 32, 32), 5.5, 3.5),
    Case("two_conv_net", (1, 28, 28), 6.0, 2.5),
)


def rows() -> list[Row]:
    speeds = [row for case in CASES for row in (_row(case, True), _row(case, False))]
    return speeds + [row for case in CASES for row in _step_rows(case)]


def _step_rows(case: Case) -> list[Row]:
    dataset = dataset_of(case.shape)
    steps = read_steps(augment_presets.get("tutorial").steps)
    return rows_of(case.network, dataset, Batches(dataset, "train", BATCH, shuffle=True, augment=steps))


def _row(case: Case, augmented: bool) -> Row:
    dataset = dataset_of(case.shape)
    with _tutorial(case, dataset, augmented) as theirs_again:
        pairs = [(theirs_again(), _ours(case, dataset, augmented)) for _ in range(REPEATS)]
    theirs, ours = (float(np.median(speeds)) for speeds in zip(*pairs, strict=True))
    name = f"throughput {case.network} {'augmented' if augmented else 'plain'}"
    target = case.augmented if augmented else case.plain
    return at_least(name, [b / a for a, b in pairs], target, "×", f"{ours:,.0f} against {theirs:,.0f} images/s")


def dataset_of(shape: tuple[int, int, int]) -> ImageDataset:
    """56,000 images, each real one four times, in the shape of CIFAR-10 or MNIST: their content costs nothing."""
    source = open_dataset("fashion_mnist_sample", shape[1])
    images = np.tile(np.repeat(source.images, shape[0], axis=1), (4, 1, 1, 1))
    raw = RawImages(images, np.tile(source.labels, 4), source.classes)
    folder = Path(tempfile.mkdtemp())
    for _ in write(folder, "benchmark", shape, raw, make_splits(raw.labels, None)):
        pass
    return ImageDataset.open(folder)


def _ours(case: Case, dataset: ImageDataset, augmented: bool) -> float:
    layers = layers_of(NetworkSpec(preset=case.network))
    recipe = Recipe(
        augment=augment_presets.get("tutorial").steps if augmented else (),
        network=NetworkSpec(preset=case.network, layers=layers),
        training=TrainingSpec(epochs=1000, batch_size=BATCH),
    )
    run_id = store().create(recipe, "benchmark", "worker")
    session = TrainingSession(recipe, dataset, RunFolder(run_id))
    session.rehearse()
    first, began, images = 0.0, 0.0, len(dataset.splits["train"])
    for event in session.run():
        store().record(run_id, "worker", event)
        store().commands(run_id)
        if isinstance(event, Report):
            began = began or time.perf_counter()
            first = first or event.epoch
            if time.perf_counter() - began > SECONDS:
                return (event.epoch - first) * images / (time.perf_counter() - began)
    raise AssertionError("the run ended before the measurement")


@contextmanager
def _tutorial(case: Case, dataset: ImageDataset, augmented: bool) -> Iterator[Callable[[], float]]:
    """The tutorial's program on the same images; each call measures the better of 0 and 2 loader workers."""
    train, files = dataset.splits["train"], (dataset.folder / "pixels.npy", dataset.folder / "truth.npy")
    np.save(files[0], dataset.images[train])
    np.save(files[1], dataset.labels[train])
    arguments = [case.network, *map(str, files), str(augmented), str(SECONDS)]
    plain = {
        name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "THP_MEM_ALLOC_ENABLE")
    }
    with subprocess.Popen(
        [sys.executable, str(TUTORIAL), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=plain
    ) as program:
        assert program.stdin
        assert program.stdout
        pipes = program.stdin, program.stdout

        def measure() -> float:
            pipes[0].write("again\n")
            pipes[0].flush()
            return float(pipes[1].readline())

        yield measure
        program.stdin.close()
