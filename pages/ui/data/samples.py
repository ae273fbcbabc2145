"""Images of a data set class by class."""

from __future__ import annotations

from html import escape

import streamlit as st

from cnn_core.data.dataset import SPLITS, ImageDataset
from cnn_core.data.explore.statistics import sample
from pages.ui.address import query
from pages.ui.data import sealed
from pages.ui.frame import layout, words
from pages.ui.frame.errors import plain
from pages.ui.frame.images import data_uri, gallery, strip

ROWS = 10  # classes on a page
PER_ROW = 12
MANY = 48  # images of one class on a page
ALL = -1


def view(dataset: ImageDataset) -> None:
    """A split, a class, and their images."""
    with layout.card(
        "Samples", "Training learns from one split, picks the best epoch on another, and is tested once on the third."
    ):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            split = query.choose(
                st.segmented_control, "Split", SPLITS, name="split", format_func=words.label, clears=["page"]
            )
            label = query.choose(
                st.selectbox,
                "Class",
                [ALL, *range(len(dataset.classes))],
                name="class",
                clears=["page"],
                format_func=lambda number: "All classes" if number < 0 else dataset.classes[number],
            )
            others = label == ALL and st.button("Others", icon=":material/shuffle:", help="Draw other images.")
        if split == "test" and sealed.asked(dataset):
            return
        if label == ALL:
            st.session_state["seed"] = seed = st.session_state.get("seed", 0) + bool(others)
            _each_class(dataset, split, seed)
        else:
            _one_class(dataset, split, label)


def _each_class(dataset: ImageDataset, split: str, seed: int) -> None:
    """A strip of images drawn at random for each class of a page of ten."""
    page = query.turn_pages(-(-len(dataset.classes) // ROWS))
    for position in range(len(dataset.classes))[(page - 1) * ROWS : page * ROWS]:
        text, images = st.columns([1, 6], vertical_alignment="center")
        text.markdown(f"**{plain(dataset.classes[position])}**")
        images.html(_strip(str(dataset.folder), split, position, seed, dataset))


def _one_class(dataset: ImageDataset, split: str, label: int) -> None:
    """Every image of a class, page by page."""
    members = dataset.splits[split][dataset.labels[dataset.splits[split]] == label]
    st.caption(f"{words.count(len(members), 'image')} of {plain(dataset.classes[label])} to {_use(split)}")
    page = query.turn_pages(-(-len(members) // MANY))
    chosen = members[(page - 1) * MANY : page * MANY]
    gallery(list(dataset.images[chosen]), [f"image {index}" for index in chosen])


def _use(split: str) -> str:
    return {"train": "learn from", "validation": "choose by", "test": "test with"}[split]


@st.cache_data(max_entries=400, show_spinner=False)
def _strip(folder: str, split: str, label: int, seed: int, _dataset: ImageDataset) -> str:
    """A row of images of one class as HTML, one pixel a pixel: the style enlarges it."""
    chosen = sample(_dataset, split, label, PER_ROW, seed)
    if not len(chosen):
        return '<span class="cnn-none">no image</span>'
    address = data_uri(strip(_dataset.images[chosen], PER_ROW, gap=1 + _dataset.image_size // 24))
    name = escape(_dataset.classes[label], quote=True)
    return f'<div class="cnn-strip"><img alt="Images of {name}" src="{address}"></div>'
