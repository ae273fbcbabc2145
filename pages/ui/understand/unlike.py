"""Whether an image is unlike the images a network learned from; loads torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn_core.data.dataset import ImageDataset
from cnn_core.data.explore.embedding import spread_over_classes
from cnn_core.evaluation.novelty import MOST, NEIGHBOURS, Novelty
from cnn_core.inference import Classifier
from cnn_core.inspection.layer_statistics import layer_statistics
from cnn_core.runs.tables import Run
from pages.ui.frame import words
from pages.ui.runs.choosing import weights_version


@dataclass(frozen=True)
class Judgement:
    """One image among the validation images."""

    nearer: int  # validation images that are nearer to the training images
    images: int  # validation images in all
    unlike: bool


def judge(
    run: Run, epoch: int | None, network: Classifier, dataset: ImageDataset | None, images: Sequence[NDArray[np.uint8]]
) -> list[Judgement | None]:
    """What to say of each image (C, H, W), as the network gets it; None without the data set."""
    if dataset is None or not images:
        return [None] * len(images)
    novelty = _novelty(run.id, epoch, weights_version(run, epoch), network, dataset)
    stacked = np.stack(images)
    counts = novelty.nearer(layer_statistics(network.network, network.batches(stacked, np.arange(len(stacked)))))
    total = len(novelty.held_out)
    return [Judgement(int(count), total, bool(count >= novelty.needed)) for count in counts]


def show(judgement: Judgement | None) -> None:
    """One line below an answer: a warning where the image is unlike the training images."""
    if judgement is None:
        return
    share = words.percent(judgement.nearer / judgement.images)
    further = f"further from them than {share} of {judgement.images:,} validation images"
    if judgement.unlike:
        st.warning(
            f"**Unlike the training images**: {further}. The answer is a guess among the classes it knows.",
            icon=":material/help:",
        )
    else:
        st.caption(f":material/check: Like the training images: {further}.")


def explain(judgement: Judgement | None) -> None:
    """How it is measured and how often it is wrong, folded."""
    if judgement is None:
        return
    with st.expander("How “unlike the training images” is measured", icon=":material/straighten:"):
        st.markdown(
            f"What each layer makes of an image (mean and standard deviation of every map) is compared with up to "
            f"{MOST:,} training images; the distance is the one to the {NEIGHBOURS}th nearest of them. An image is "
            f"marked when it is further away than 95% of the {judgement.images:,} validation images, so about 1 in 20 "
            "images that are like those is marked by mistake."
        )
        st.markdown(MEASURED)


MEASURED = (
    "Measured with two networks on each of two data sets: every flat grey, noise and inverted image was marked, and "
    "79% to 100% of the images of the other data set. By mistake were marked 6% of 1,000 test images of clothes, and "
    "5% and 6% of 270 digits."
)


def novelty_of(network: Classifier, dataset: ImageDataset) -> Novelty:
    """From at most 1,000 training and 1,000 validation images, each class with its share: about 3 s of a processor core
    for the compact residual network on images of 28 × 28."""
    training, validation = (
        layer_statistics(network.network, network.batches(dataset.images, spread_over_classes(dataset, (split,), MOST)))
        for split in ("train", "validation")
    )
    return Novelty.fit(training, validation)


@st.cache_resource(max_entries=4, show_spinner="Measuring how far apart the data set's own images are …")
def _novelty(run_id: str, epoch: int | None, version: str, _network: Classifier, _dataset: ImageDataset) -> Novelty:
    return novelty_of(_network, _dataset)
