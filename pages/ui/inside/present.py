"""The present weights of a run that is being trained; one reading serves all who look, and loads torch."""

from __future__ import annotations

from typing import Any

import streamlit as st

from cnn_core.data.dataset import ImageDataset
from cnn_core.data.explore.statistics import sample
from cnn_core.errors import PlaygroundError
from cnn_core.inference import Classifier
from cnn_core.inspection.dead_units import dead_shares
from cnn_core.models.summary import shapes
from cnn_core.runs.live import about_live, live_version, mark_watched
from cnn_core.runs.tables import Run
from pages.ui.inside import frames

IMAGES = 64  # validation images on which dead units are counted, fewer of a network that takes long
WORK = 5e8  # multiply-accumulates for them: about 0.04 s of one core


def payload(
    run: Run,
    subject: frames.Subject,
    dataset: ImageDataset,
    opened: tuple[str, int] | None = None,
    blocks: tuple[str, ...] = (),
) -> dict[str, Any] | None:
    """The stage with the present weights, which the worker writes once somebody looks: None until it has."""
    mark_watched(run.id)
    version = live_version(run.id)
    if version is None:
        return None
    try:
        network, about = _opened(run.id, version)
    except PlaygroundError:  # the run has just ended
        return None
    position = {"step": about.get("step", 0), "epoch": about.get("epoch", 0.0)}
    health = _health(run.id, version, network, dataset, about.get("learning", {}))
    return frames.live_payload(run, network, version, subject, position, health, opened, blocks)


@st.cache_resource(max_entries=4, show_spinner=False)
def _opened(run_id: str, version: str) -> tuple[Classifier, dict[str, Any]]:
    return Classifier.open_live(run_id), about_live(run_id)


@st.cache_data(max_entries=16, show_spinner=False)
def _health(
    run_id: str, version: str, _network: Classifier, _dataset: ImageDataset, _learning: dict[str, Any]
) -> dict[str, dict[str, float | None]]:
    """Address -> norms, update-to-weight ratio, and of a ReLU the share of dead units."""
    layers, classes = _network.network.layers, len(_network.classes)
    taken = shapes(layers, _network.shape, classes)
    work = sum(layer.macs(shape, classes) for layer, shape in zip(layers, taken, strict=False))
    chosen = sample(_dataset, "validation", None, max(2, min(IMAGES, int(WORK / max(work, 1)))))
    dead = dead_shares(_network.network, _network.tensor(_dataset.images[chosen])) if len(chosen) else {}
    found = {address: dict(values) for address, values in _learning.items()}
    for address, share in dead.items():
        found.setdefault(address, {})["dead_share"] = share
    return found
