"""Trained networks on pages; loads torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st
import torch
from PIL import Image

from cnn_core.data.decode import decode
from cnn_core.errors import ImageError
from cnn_core.inference import Classifier
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.tables import Run
from cnn_core.settings import settings
from pages.ui.address import query
from pages.ui.frame.errors import needed, show_error

BEST = "best"


@st.cache_resource(max_entries=8, show_spinner=False)
def _classifier(run_id: str, epoch: int | None, version: str) -> Classifier:
    return Classifier.open(run_id, epoch)


def open_classifier(run: Run, epoch: int | None = None) -> Classifier:
    """The network of a run at an epoch, None for the best, kept in memory until its weights change. Raises
    PlaygroundError where its files are damaged or missing."""
    return _classifier(run.id, epoch, RunFolder(run.id).weights_version(epoch, run.best_epoch))


def classifier(run: Run, epoch: int | None = None) -> Classifier:
    """The same for a page: where its files are damaged the page ends with a sentence, below the choice of another
    epoch."""
    with needed():
        return open_classifier(run, epoch)


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


def quiet() -> None:
    """One thread for what follows on this thread of the server: small networks are faster so, and training on the same
    computer keeps its cores. A fragment runs on a new thread each time and calls it again."""
    torch.set_num_threads(1)
