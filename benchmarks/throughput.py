"""Images per second through the product's own session, events and store writing included, against the tutorial loop."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.row import Row, at_least
from benchmarks.tutorial import images_per_second, loader
from cnn_core.data.augment import augment_presets
from cnn_core.data.dataset import ImageDataset, RawImages, write
from cnn_core.data.library import open_dataset
from cnn_core.data.splits import make_splits
from cnn_core.models.network import build
from cnn_core.models.presets import layers_of
from cnn_core.recipe import NetworkSpec, Recipe, TrainingSpec
from cnn_core.runs.events import Report
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store
from cnn_core.training.session import TrainingSession

BATCH, SECONDS, REPEATS = 128, 4.0, 3


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
    return [row for case in CASES for row in (_row(case, True), _row(case, False))]


def _row(case: Case, augmented: bool) -> Row:
    dataset = _dataset(case.shape)
    pairs = [(_ours(case, dataset, augmented), _theirs(case, dataset, augmented)) for _ in range(REPEATS)]
    ours, theirs = (float(np.median(speeds)) for speeds in zip(*pairs, strict=True))
    name = f"throughput {case.network} {'augmented' if augmented else 'plain'}"
    target = case.augmented if augmented else case.plain
    return at_least(name, [a / b for a, b in pairs], target, "×", f"{ours:,.0f} against {theirs:,.0f} images/s")


def _dataset(shape: tuple[int, int, int]) -> ImageDataset:
    """56,000 pictures, each real one four times, in the shape of CIFAR-10 or MNIST: their content costs nothing."""
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
        augment=augment_presets["tutorial"] if augmented else (),
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


def _theirs(case: Case, dataset: ImageDataset, augmented: bool) -> float:
    """The better of 0 and 2 loader workers."""
    indices, speeds = dataset.splits["train"], []
    for workers in (0, 2):
        torch.manual_seed(0)
        network = build(layers_of(NetworkSpec(preset=case.network)), case.shape, 10)
        batches = loader(dataset.images[indices], dataset.labels[indices], augmented, BATCH, workers)
        speeds.append(images_per_second(network, batches, SECONDS))
    return max(speeds)
