"""Unlike the training images: what is marked, and how often by mistake, with a real run on digits."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import betabinom

from cnn_core.data.catalogue.library import open_dataset
from cnn_core.data.dataset import ImageDataset
from cnn_core.evaluation.novelty import Novelty
from cnn_core.inference import Classifier
from cnn_core.inspection.layer_statistics import layer_statistics
from cnn_core.models.network import build
from cnn_core.recipe import LayerSpec
from pages.ui.understand.unlike import novelty_of

Real = tuple[Novelty, Classifier, ImageDataset]


@pytest.fixture(params=[0, 1], ids=["one_conv_net", "simple_cnn"])
def real(runs: list[str], request: pytest.FixtureRequest) -> Real:
    network, dataset = Classifier.open(runs[request.param]), open_dataset("digits")
    return novelty_of(network, dataset), network, dataset


def marked(novelty: Novelty, network: Classifier, images: np.ndarray) -> np.ndarray:
    statistics = layer_statistics(network.network, network.batches(images, np.arange(len(images))))
    return novelty.nearer(statistics) >= novelty.needed


def test_false_alarms_on_test_images_are_as_many_as_stated(real: Real) -> None:
    """Given V validation images the count among N new ones is beta-binomial: outside these bounds once in 1,000."""
    novelty, network, dataset = real
    images = np.asarray(dataset.images[dataset.splits["test"]])
    count = marked(novelty, network, images).sum()
    expected = betabinom(len(images), len(novelty.held_out) + 1 - novelty.needed, novelty.needed)
    assert expected.ppf(0.0005) <= count <= expected.ppf(0.9995)
    assert expected.mean() / len(images) == pytest.approx(novelty.false_alarms)


def test_what_is_no_digit_is_marked(real: Real) -> None:
    novelty, network, dataset = real
    test = np.asarray(dataset.images[dataset.splits["test"]])
    random = np.random.default_rng(0)
    flat = np.stack([np.full((1, 8, 8), value, np.uint8) for value in range(0, 256, 5)])
    assert marked(novelty, network, flat).all()
    assert marked(novelty, network, random.integers(0, 256, (200, 1, 8, 8)).astype(np.uint8)).mean() > 0.98
    assert marked(novelty, network, 255 - test).mean() > 0.98
    assert marked(novelty, network, clothes()).mean() > 0.95


def clothes() -> np.ndarray:
    dataset = open_dataset("fashion_mnist_sample")
    images = dataset.images[dataset.splits["test"][:200], 0]
    return np.stack([np.asarray(Image.fromarray(image).resize((8, 8), Image.Resampling.BILINEAR)) for image in images])[
        :, None
    ]


@pytest.mark.parametrize(("a_class", "validation"), [(1, 1), (3, 2), (30, 40)])
def test_a_handful_of_images_and_a_class_without_any(home: Path, a_class: int, validation: int) -> None:
    """No labels are used: one image a class, a class without any and a network without a linear layer all work."""
    whole = open_dataset("digits")
    few = np.concatenate([np.flatnonzero(whole.labels == label)[:a_class] for label in (1, 3, 7)])
    rest = np.setdiff1d(np.arange(len(whole.labels)), few)
    splits = {"train": few, "validation": rest[:validation], "test": rest[validation:]}
    dataset = dataclasses.replace(whole, splits=splits)
    torch.manual_seed(0)
    layers = [LayerSpec(kind="conv", channels=8), LayerSpec(kind="relu"), LayerSpec(kind="conv", channels=10)]
    made = build([*layers, LayerSpec(kind="global_pool")], dataset.shape, 10, dataset.mean, dataset.std)
    network = Classifier(made.eval(), dataset.classes, dataset.shape)
    novelty = novelty_of(network, dataset)
    assert novelty.needed == min(validation, 39)
    own = np.asarray(dataset.images[dataset.splits["validation"]])
    assert marked(novelty, network, own).mean() <= max(0.05, novelty.false_alarms)
    assert marked(novelty, network, np.full((1, 1, 8, 8), 255, np.uint8)).all()
