"""Choosing the image on the stage: of the data set, an upload, a photo or a drawing."""

from __future__ import annotations

import random

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from cnn_core.data.dataset import ImageDataset
from cnn_core.inference import Classifier
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.tables import Run
from pages.ui.address import query
from pages.ui.data import sealed
from pages.ui.frame.images import TYPES
from pages.ui.inside import measures
from pages.ui.inside.drawing import drawing
from pages.ui.inside.frames import Subject
from pages.ui.understand import unlike
from pages.ui.understand.classifiers import uploads
from pages.ui.understand.preprocessing import background_of, prepare

DATASET, HARDEST, UPLOAD, CAMERA, DRAWING = "data", "hardest", "upload", "camera", "drawing"
SOURCES = {
    DATASET: "Data set",
    HARDEST: "Hardest",
    UPLOAD: "Upload",
    CAMERA: "Camera",
    DRAWING: "Draw",
}


def pick(run: Run, network: Classifier, dataset: ImageDataset | None) -> Subject:
    """The image that is chosen, all in the address but what a person brings. Until something is brought, an image of
    the data set is shown, and without one an empty image."""
    known = [source for source in SOURCES if dataset is not None or source not in (DATASET, HARDEST)]
    with st.container(horizontal=True, vertical_alignment="bottom", key="subject"):
        source = query.choose(
            st.segmented_control,
            "Image",
            known,
            name="from",
            clears=("image",),
            format_func=SOURCES.__getitem__,
            help="Hardest: validation images whose true class gets the lowest probability.",
        )
        if source == DATASET and dataset is not None:
            return _by_class(dataset)
        if source == HARDEST and dataset is not None:
            return _hardest(run, network, dataset)
        brought = _brought(run, source, network, dataset)
    if brought is not None:
        return Subject(brought, None)
    if source == DRAWING or dataset is None:
        return empty(network, background_of(dataset) != "light")
    return first(dataset, sealed.unseen(dataset))


def empty(network: Classifier, dark: bool = True) -> Subject:
    """An image with nothing on it."""
    return Subject(np.full(network.shape, 0 if dark else 255, np.uint8), None)


def first(dataset: ImageDataset, split: str) -> Subject:
    """The first image of a split."""
    return _subject(dataset, int(dataset.splits[split][0]))


def _subject(dataset: ImageDataset, index: int) -> Subject:
    return Subject(np.ascontiguousarray(dataset.images[index]), int(dataset.labels[index]))


def _by_class(dataset: ImageDataset) -> Subject:
    """A test image, or where these are sealed a validation image, by class and number."""
    images, numbers = dataset.splits[sealed.unseen(dataset)], list(range(len(dataset.classes)))
    label = query.choose(
        st.selectbox, "Class", numbers, name="class", clears=("image",), format_func=lambda n: dataset.classes[n]
    )
    members = images[dataset.labels[images] == label]
    if not len(members):
        st.caption("This class has no such image; shown is one of another.")
        members = images
    place = st.number_input("Number", step=1, width=130, **query.mirror_number("image", 0, 0, len(members) - 1))
    st.button(
        "Random",
        icon=":material/shuffle:",
        help="Any class, any number",
        on_click=_random,
        args=(dataset.labels[images],),
    )
    return _subject(dataset, int(members[place]))


def _random(labels: NDArray[np.int64]) -> None:
    label = random.choice(np.unique(labels).tolist())
    query.put(**{"class": label, "image": random.randrange(int((labels == label).sum()))})


def _hardest(run: Run, network: Classifier, dataset: ImageDataset) -> Subject:
    version = RunFolder(run.id).weights_version(None, run.best_epoch)
    order = measures.hardest(run, version, network, dataset)
    if not len(order):
        order = dataset.splits["validation"]
    place = st.number_input("Place", step=1, width=130, **query.mirror_number("image", 0, 0, len(order) - 1))
    return _subject(dataset, int(order[place]))


def _brought(run: Run, source: str, network: Classifier, dataset: ImageDataset | None) -> NDArray[np.uint8] | None:
    """An image of the person's own as the network takes it: uint8 (C, H, W)."""
    if source == DRAWING:
        image = drawing(dark=background_of(dataset) != "light")
        return None if image is None else network.see(image)
    if source == CAMERA:
        photo = st.camera_input("Take a photo", label_visibility="collapsed")
        files = [("photo.png", photo.getvalue())] if photo else []
    else:
        file = st.file_uploader("An image, best with one thing in the middle", type=TYPES)
        files = [(file.name, file.getvalue())] if file else []
    images: list[tuple[str, Image.Image]] = uploads(files)
    if not images:
        return None
    seen = prepare(network, dataset, images)[0].seen
    unlike.show(unlike.judge(run, None, network, dataset, [seen])[0])
    return seen
