"""What a map looks for: the images that excite it, and an image made for it; shared by all who look, loads torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn_core.data.dataset import ImageDataset
from cnn_core.data.explore.statistics import sample
from cnn_core.inference import Classifier
from cnn_core.inspection.exciting import Exciting, exciting
from cnn_core.inspection.feature_visualisation import STEPS, Aim, visualise
from cnn_core.models.summary import shapes
from pages.ui.inside import validation
from pages.ui.inside.look import Look
from pages.ui.runs.choosing import weights_version

IMAGES = 1000  # validation images that are looked through, fewer where the network is large
SEED = 0
UNASKED = 6.0  # seconds that are spent on making images without being asked by a button
# Seconds of one core for a step, for a value of an image and for a multiply-accumulate: within a third of what the
# compact residual network takes from 28 to 224 px, first and last convolution, one and six maps.
STEP, VALUE, MAC = 1.5e-3, 1.0e-7, 1.6e-10


@dataclass(frozen=True, eq=False)
class Made:
    """Images made for some maps."""

    images: list[NDArray[np.uint8]]  # (H, W) or (H, W, 3) each
    start: NDArray[np.float32]  # (n,): the objective of the noise it began with
    end: NDArray[np.float32]


def positions(look: Look, dataset: ImageDataset) -> NDArray[np.int64]:
    """The validation images that are looked through, rising: the same at every epoch."""
    most = min(IMAGES, validation.affordable(look.network.network))
    return np.sort(sample(dataset, "validation", None, most, SEED))


def seconds(look: Look, address: str, units: int) -> float:
    """About how long making images for that many maps of an operation takes."""
    network, last = look.network.network, int(address.partition(".")[0])
    ins = shapes(network.layers, network.input_shape, network.classes)
    layers = list(zip(network.layers, ins, strict=False))[: last + 1]
    macs = sum(layer.macs(shape, network.classes) for layer, shape in layers)
    return STEPS * (STEP + units * (prod(network.input_shape) * VALUE + macs * MAC))


def found(look: Look, dataset: ImageDataset, addresses: Sequence[str]) -> dict[str, Exciting]:
    """Address -> the images of `positions` that excite its maps. Raises ValueError without validation images."""
    version = weights_version(look.run, look.epoch)
    chosen = positions(look, dataset)
    return _exciting(
        look.run.id, look.epoch, version, dataset.content_hash, tuple(addresses), look.network, dataset, chosen
    )


@st.cache_resource(max_entries=24, show_spinner="Looking through the validation images …")
def _exciting(
    run_id: str,
    epoch: int | None,
    version: str,
    images: str,
    addresses: tuple[str, ...],
    _network: Classifier,
    _dataset: ImageDataset,
    _positions: NDArray[np.int64],
) -> dict[str, Exciting]:
    size = validation.together(_network.network)
    return exciting(_network.network, _network.batches(_dataset.images, _positions, size), addresses)


def made(look: Look, address: str, units: Sequence[int], aim: Aim = "neuron", plain: bool = False) -> Made | None:
    """The images made for some maps, where they have been made already."""
    slot = _slot(look.run.id, look.epoch, weights_version(look.run, look.epoch), address, tuple(units), aim, plain)
    return slot[0] if slot else None


def make(look: Look, address: str, units: Sequence[int], aim: Aim = "neuron", plain: bool = False) -> Made:
    """Make them, with their progress. Raises PlaygroundError where nothing can be made."""
    slot = _slot(look.run.id, look.epoch, weights_version(look.run, look.epoch), address, tuple(units), aim, plain)
    if slot:
        return slot[0]
    bar = st.progress(0.0, "Making images that excite it …")
    ascent = visualise(look.network.network, address, units, aim, plain)
    try:
        start = last = next(ascent)
        for last in ascent:
            bar.progress(last.fraction, "Making images that excite it …")
    finally:
        bar.empty()
    slot[:] = [Made([as_pixels(image) for image in last.images], start.objective, last.objective)]
    return slot[0]


@st.cache_resource(max_entries=100, show_spinner=False)
def _slot(
    run_id: str, epoch: int | None, version: str, address: str, units: tuple[int, ...], aim: Aim, plain: bool
) -> list[Made]:
    """Where what has been made is kept."""
    return []


def as_pixels(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    """0..1 (C, H, W) as uint8 (H, W) or (H, W, 3)."""
    whole = np.rint(image * 255).clip(0, 255).astype(np.uint8)
    return whole[0] if len(whole) == 1 else np.ascontiguousarray(whole.transpose(1, 2, 0))
