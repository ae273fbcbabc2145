"""How good a run is on validation images, epoch by epoch: confusion matrix and F1 of each class."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, f1_score

from cnn_core.data.dataset import ImageDataset
from cnn_core.data.explore.statistics import sample
from cnn_core.inference import Classifier
from cnn_core.models.summary import shapes
from cnn_core.runs.tables import Run

IMAGES = 1000  # at most
WORK = 1.6e9  # multiply-accumulates: about 0.06 s of one core
FEWEST = 50  # images: below, the numbers would say little
MATRIX = 40  # classes at most that are drawn as a matrix


def measures(
    run: Run, epoch: int, version: str, network: Classifier, dataset: ImageDataset | None
) -> dict[str, Any] | None:
    """`f1` float32 (classes,), NaN for a class without images and predictions, `accuracy`, `count` of images, and for
    few classes `confusion` uint16 (classes, classes), true classes down, with `names`; None without images, or where
    they would take too long."""
    if dataset is None:
        return None
    chosen = _images(run.id, network, dataset)
    if not len(chosen):
        return None
    return _measured(run.id, epoch, version, network, dataset, chosen)


def hardest(run: Run, version: str, network: Classifier, dataset: ImageDataset) -> NDArray[np.int64]:
    """Positions of validation images, those first whose true class has the lowest probability."""
    return _hardest(run.id, version, network, dataset, _images(run.id, network, dataset))


@st.cache_data(max_entries=256, show_spinner=False)
def _measured(
    run_id: str,
    epoch: int,
    version: str,
    _network: Classifier,
    _dataset: ImageDataset,
    _chosen: NDArray[np.int64],
) -> dict[str, Any]:
    labels, classes = _dataset.labels[_chosen], range(len(_network.classes))
    predicted = _fast(_network).classify_many(_dataset.images, _chosen).argmax(1)
    f1 = f1_score(labels, predicted, labels=list(classes), average=None, zero_division=np.nan)
    found = {
        "f1": np.asarray(f1, np.float32),
        "accuracy": float((labels == predicted).mean()),
        "count": len(_chosen),
    }
    if len(classes) <= MATRIX:
        matrix = confusion_matrix(labels, predicted, labels=list(classes))
        found |= {"confusion": matrix.astype(np.uint16), "names": list(_network.classes)}
    return found


def _fast(network: Classifier) -> Classifier:
    """A copy with channels last: on one core simple_cnn classifies 947 images of 32×32 in 88 ms instead of 214."""
    own = copy.deepcopy(network.network).to(memory_format=torch.channels_last)
    own.input.memory_format = torch.channels_last
    return replace(network, network=own)


@st.cache_data(max_entries=16, show_spinner=False)
def _hardest(
    run_id: str, version: str, _network: Classifier, _dataset: ImageDataset, _chosen: NDArray[np.int64]
) -> NDArray[np.int64]:
    probabilities = _network.classify_many(_dataset.images, _chosen)
    true = probabilities[np.arange(len(_chosen)), _dataset.labels[_chosen]]
    return np.asarray(_chosen[np.argsort(true, kind="stable")], np.int64)


@st.cache_data(max_entries=32, show_spinner=False)
def _images(run_id: str, _network: Classifier, _dataset: ImageDataset) -> NDArray[np.int64]:
    """Positions of the validation images to measure on: the same at every epoch."""
    layers, classes = _network.network.layers, len(_network.classes)
    taken = shapes(layers, _network.shape, classes)
    work = sum(layer.macs(shape, classes) for layer, shape in zip(layers, taken, strict=False))
    count = int(min(IMAGES, WORK / max(work, 1), len(_dataset.splits["validation"])))
    if count < min(FEWEST, len(_dataset.splits["validation"])):
        return np.zeros(0, np.int64)
    return np.sort(sample(_dataset, "validation", None, count, seed=0))
