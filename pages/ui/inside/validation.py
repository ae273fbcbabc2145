"""Validation images on which a changed network is measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray

from cnn_core.data.dataset import ImageDataset
from cnn_core.data.explore.embedding import spread_over_classes
from cnn_core.inspection.surgery import Edit, operate
from cnn_core.models.network import Network
from cnn_core.models.summary import shapes
from pages.ui.inside.look import Look
from pages.ui.runs.choosing import weights_version

MOST = 2000  # images: 0.1 to 0.3 s of two processor cores for the networks to start from at 28 × 28
LEAST = 100
MACS = 60e9  # multiply-accumulates of all images: about 2 s of two processor cores
RANKED = 1000
MOST_TOGETHER = 250  # images a batch of the ranking
SEED = 0


def usable(look: Look) -> ImageDataset | None:
    """The data set, where it is here, fits the network and has validation images."""
    dataset = look.dataset
    if dataset is None or not len(dataset.splits["validation"]):
        return None
    fits = dataset.shape == look.network.shape and len(dataset.classes) == len(look.network.classes)
    return dataset if fits else None


def affordable(network: Network) -> int:
    """Images that it classifies in about two seconds, from LEAST to MOST."""
    inputs = shapes(network.layers, network.input_shape, network.classes)
    macs = sum(layer.macs(shape, network.classes) for layer, shape in zip(network.layers, inputs, strict=False))
    return int(min(MOST, max(LEAST, MACS / max(macs, 1))))


def together(network: Network) -> int:
    """Images a batch of the ranking: a tenth of those it classifies in two seconds, so that a limit of time is kept."""
    return min(MOST_TOGETHER, affordable(network) // 10)


def positions(look: Look, dataset: ImageDataset, most: int = MOST) -> NDArray[np.int64]:
    """Ascending: all validation images, or the same `most` of them each time, with each class keeping its share."""
    return spread_over_classes(dataset, ("validation",), min(most, affordable(look.network.network)), SEED)


def probabilities(look: Look, dataset: ImageDataset, edits: tuple[Edit, ...]) -> NDArray[np.float32]:
    """(n, classes): of the network with the edits for the images at `positions`; kept while the weights are these."""
    version = weights_version(look.run, look.epoch)
    return _probabilities(look.run.id, look.epoch, version, dataset.content_hash, edits, look, dataset)


@st.cache_data(max_entries=16, show_spinner="Classifying the validation images …")
def _probabilities(
    run_id: str,
    epoch: int | None,
    version: str,
    content_hash: str,
    edits: tuple[Edit, ...],
    _look: Look,
    _dataset: ImageDataset,
) -> NDArray[np.float32]:
    network = operate(_look.network.network, edits).eval()
    network.to(memory_format=torch.channels_last)  # 0.37 s -> 0.13 s for simple_cnn
    network.input.memory_format = torch.channels_last
    return replace(_look.network, network=network).classify_many(_dataset.images, positions(_look, _dataset))
