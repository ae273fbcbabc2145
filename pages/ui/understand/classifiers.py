"""Trained networks on pages; loads torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st
from PIL import Image

from cnn_core.data.dataset import ImageDataset
from cnn_core.data.decode import decode
from cnn_core.errors import ImageError
from cnn_core.inference import Classifier
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.tables import Run
from cnn_core.settings import settings
from pages.ui.address import query
from pages.ui.data import sealed
from pages.ui.frame.errors import needed, show_error
from pages.ui.frame.images import TYPES
from pages.ui.runs.choosing import weights_version
from pages.ui.understand.preprocessing import prepare

BEST = "best"
FROM = ("The data set", "A file")


@st.cache_resource(max_entries=8, show_spinner=False)
def _classifier(run_id: str, epoch: int | None, version: str) -> Classifier:
    return Classifier.open(run_id, epoch)


def classifier(run: Run, epoch: int | None = None) -> Classifier:
    """The network of a run at an epoch, None for the best, kept in memory until its weights change. Where its files are
    damaged the page ends with a sentence, below the choice of another epoch."""
    with needed():
        return _classifier(run.id, epoch, weights_version(run, epoch))


def pick_epoch(run: Run) -> int | None:
    """A slider over the kept epochs, tied to ?epoch=; None is the best one."""
    kept = RunFolder(run.id).epochs()
    chosen = query.choose(
        st.select_slider,
        "Epoch",
        [*map(str, kept), BEST],
        name="epoch",
        default=BEST,
        help=f"Weights as they were at the end of an epoch; 0 is before training. The best is epoch {run.best_epoch}.",
    )
    return None if chosen == BEST else int(chosen)


def uploads(files: Sequence[tuple[str, bytes]]) -> list[tuple[str, Image.Image]]:
    """Decoded images with their names; a file that cannot be read is named, and the others are kept."""
    most = settings().upload_files
    if len(files) > most:
        show_error(f"{len(files)} files are too many at once; the first {most} are shown.")
    images = []
    for name, data in files[:most]:
        try:
            images.append((name, decode(data, name)))
        except ImageError as error:
            show_error(error)
    return images


def top(probabilities: np.ndarray, classes: Sequence[str], most: int = 5) -> dict[str, float]:
    """Class name -> probability of the most probable classes, the first one first."""
    order = np.argsort(-probabilities, kind="stable")[:most]
    return {classes[number]: float(probabilities[number]) for number in order}


def pick_image(network: Classifier, dataset: ImageDataset) -> tuple[np.ndarray, str | None]:
    """An image that was not learned from, or one of the person's own: uint8 (C, H, W), and its class if known."""
    source = st.segmented_control("From", FROM, default=FROM[0], label_visibility="collapsed")
    if source == FROM[1]:
        file = st.file_uploader("An image, best with one thing in the middle", type=TYPES)
        if images := uploads([(file.name, file.getvalue())] if file else []):
            return prepare(network, dataset, images)[0].seen, None
        st.caption("Until then one of the data set is shown.")
    index = _unseen_image(dataset)
    return np.asarray(dataset.images[index]), dataset.classes[dataset.labels[index]]


def _unseen_image(dataset: ImageDataset) -> int:
    """A test image, or where these are sealed a validation image, chosen by class and number, tied to the address."""
    images, numbers = dataset.splits[sealed.unseen(dataset)], list(range(len(dataset.classes)))
    label = query.choose(st.selectbox, "Class", numbers, name="class", format_func=lambda n: dataset.classes[n])
    members = images[dataset.labels[images] == label]
    if not len(members):
        st.caption("This class has no such image; shown is one of another.")
        members = images
    place = st.number_input("Number", step=1, **query.mirror_number("image", 0, 0, len(members) - 1))
    return int(members[place])
