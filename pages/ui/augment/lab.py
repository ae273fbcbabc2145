"""The augmentation lab: images beside what training makes of them, redrawn at every control; loads torch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st

from cnn_core.data.augmentation.preview import Fractions, Images, draws, stages
from cnn_core.data.augmentation.steps import Augmentation, read_steps
from cnn_core.data.catalogue.library import is_ready
from cnn_core.data.catalogue.registry import dataset_sources
from cnn_core.data.dataset import ImageDataset
from cnn_core.data.explore.statistics import sample
from cnn_core.recipe import Recipe
from pages.ui.address import query
from pages.ui.address.recipe import query_of, recipe_now, recipe_shown
from pages.ui.data import datasets, sealed
from pages.ui.forms import augmentation
from pages.ui.forms.recipe import choice_of
from pages.ui.frame import layout, words
from pages.ui.frame.errors import errors_shown, show_error
from pages.ui.frame.images import data_uri, gallery, strip

IMAGES, EPOCHS = 8, 8  # rows and columns of the grid
EVERY = -1  # "class": all of them
MOST_NUMBER = 9999


@st.fragment
@errors_shown()
def lab() -> None:
    """Controls and images of the recipe in the address.

    A fragment, so that a control redraws these and not what a run says of them.
    """
    recipe, shown = recipe_shown(None), partial(recipe_now, None)
    results, panel = layout.beside(0.35)
    with panel:
        with layout.card("Data set"):
            choice_of("data.dataset", recipe.data.dataset, shown)
        with layout.card("Steps", "Applied in this order, to training images only. Each image gets its own draw."):
            augmentation.choose_set(recipe, shown)
            augmentation.steps(recipe, shown, roomy=True)
        layout.go("train", "Train with these", ":material/play_circle:", primary=True, **query_of(recipe))
    with results:
        source = dataset_sources.get(recipe.data.dataset)
        if source.download_megabytes and not is_ready(source.name, recipe.data.image_size):
            datasets.fetch(source)
        else:
            _images(recipe, datasets.of_recipe(recipe))
    if st.session_state.setdefault("lab:dataset", recipe.data.dataset) != recipe.data.dataset:
        st.session_state["lab:dataset"] = recipe.data.dataset
        st.rerun()  # the runs below are those of the data set


def _images(recipe: Recipe, dataset: ImageDataset) -> None:
    steps = read_steps(recipe.augment)
    with layout.card(
        "What training sees",
        "The first column is the image itself. Each further one is an epoch of "
        "training with its own random draw; the same seed gives the same draws.",
    ):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            chosen = _choose_images(dataset)
            seed = recipe.seed + _number("draws", "Other draws", "casino", "As if the recipe had another seed.")
        images, labels = np.asarray(dataset.images[chosen]), dataset.labels[chosen]
        shown, fractions = draws(images, labels, len(dataset.classes), steps, seed, EPOCHS)
        st.html(grid(images, shown))
    with layout.card(
        "One image, step by step",
        "The draws of the first epoch. Steps that mix take in another "
        "image of the same batch, and a fraction of its label.",
    ):
        numbers = range(1, len(images) + 1)
        row = query.choose(st.segmented_control, "Row", list(numbers), name="row") - 1
        kept = stages(images, steps, seed)[:, row]
        gallery(list(kept), _stage_names(steps, dataset.classes[labels[row]]), side=96)
        if fractions is not None:
            labels = [_label(mixed, dataset.classes) for mixed in fractions[:, row]]
            st.markdown("**Its label, epoch by epoch**")
            gallery(list(shown[:, row]), labels, side=72)


def grid(images: Images, shown: Images) -> str:
    """Images (N, C, H, W) and their draws (epochs, N, C, H, W) as one image with a heading for each column."""
    gap = 1 + images.shape[-1] // 16
    draws = strip(shown.swapaxes(0, 1).reshape(-1, *images.shape[1:]), len(shown), gap)
    between = np.zeros((len(draws), 2 * gap, 4), np.uint8)
    address = data_uri(np.concatenate([strip(images, 1, gap), between, draws], axis=1), fast=True)
    names = "".join(f"<span>{name}</span>" for name in ("itself", *(f"epoch {n + 1}" for n in range(len(shown)))))
    return (
        f'<div class="cnn-draws"><div style="grid-template-columns:repeat({len(shown) + 1},1fr)">{names}</div>'
        f'<img alt="Images and their augmented draws" src="{address}"></div>'
    )


def _choose_images(dataset: ImageDataset) -> np.ndarray:
    """Positions of the training images on show."""
    label = query.choose(
        st.selectbox,
        "Class",
        [EVERY, *range(len(dataset.classes))],
        name="class",
        format_func=lambda number: "All classes" if number == EVERY else dataset.classes[number],
        width=220,
    )
    seed = _number("pictures", "Other images", "shuffle", "Draw other training images.")
    drawn = sample(dataset, "train", None if label == EVERY else label, IMAGES, seed)
    return _led_by(query.asked("first"), drawn, dataset)


def _led_by(wanted: str, drawn: np.ndarray, dataset: ImageDataset) -> np.ndarray:
    """The image that the address names comes first; one that there is not, or that is sealed, is left out."""
    first = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 12 else -1
    if not 0 <= first < len(dataset.labels) or not sealed.shown(dataset, np.array([first])).all():
        return drawn
    return np.concatenate([[first], drawn[drawn != first]])[:IMAGES]


def _number(name: str, text: str, icon: str, note: str) -> int:
    """A number of the address, and a button that counts it up."""
    wanted = query.asked(name)
    value = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) <= 4 else 0
    if wanted and wanted != str(value):
        show_error(f"{name} in the address is {wanted[:60]!r}, but has to be a whole number from 0 to {MOST_NUMBER}.")
    st.button(
        text,
        icon=f":material/{icon}:",
        key=f"lab:{name}",
        help=note,
        on_click=query.put,
        kwargs={name: (value + 1) % (MOST_NUMBER + 1)},
    )
    return value


def _stage_names(steps: Sequence[Augmentation], name: str) -> list[str]:
    return [name, *(f"{number} · {step.title}" for number, step in enumerate(steps, start=1))]


def _label(fractions: Fractions, classes: Sequence[str]) -> str:
    """A mixed label in words, the largest share first."""
    order = np.argsort(-fractions, kind="stable")
    return " + ".join(f"{words.percent(float(fractions[n]), 0)} {classes[n]}" for n in order if fractions[n] >= 0.005)
