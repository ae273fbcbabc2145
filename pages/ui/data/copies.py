"""Copies in a data set on the page: what they are, and a click that makes a version without them."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnn_core.data.dataset import ImageDataset
from cnn_core.data.explore.duplicates import Group, copies_to_remove, find_copies
from pages.ui.address import query
from pages.ui.charts import figures
from pages.ui.data import sealed, versions
from pages.ui.frame import layout, words
from pages.ui.frame.images import gallery

PER_PAGE = 10
MOST_TILES = 12
SECONDS_PER_IMAGE, SECONDS_PER_MEGABYTE = 7e-5, 0.007  # measured on two cores, 70,000 of 28 × 28, 3,000 of 256 × 256
KINDS = {
    "all": "All",
    "leaks": "Across splits",
    "labels": "Two labels",
    "exact": "Exact",
    "near": "Near",
}


def view(dataset: ImageDataset) -> None:
    """How many copies there are, the buttons that remove them, and each group as a strip."""
    groups = _found(dataset)
    with layout.card(
        "Copies",
        "Exact: every pixel is the same. Near: the same image, brighter, saved anew or a "
        "little changed; found by a perceptual hash and confirmed by the pixels.",
    ):
        if not groups:
            st.markdown(":green[:material/check_circle:] No image has a copy in this data set.")
            return
        _summary(groups)
        _remove(dataset, groups)
    kind = query.choose(
        st.segmented_control,
        "Show",
        list(KINDS),
        name="copies",
        label_visibility="collapsed",
        clears=["page"],
        format_func=lambda name: f"{KINDS[name]} · {len(_of(groups, name)):,}",
    )
    chosen = _of(groups, kind)
    page = query.turn_pages(-(-len(chosen) // PER_PAGE))
    for group in chosen[(page - 1) * PER_PAGE : page * PER_PAGE]:
        with st.container(border=True):
            _group(dataset, group)
    if not chosen:
        st.caption("No groups of this kind.")


def _found(dataset: ImageDataset) -> list[Group]:
    seconds = len(dataset.labels) * SECONDS_PER_IMAGE + dataset.images.nbytes / 2**20 * SECONDS_PER_MEGABYTE
    about = f", about {words.duration(seconds)}" if seconds > 3 else ""
    with st.spinner(f"Comparing {len(dataset.labels):,} images{about} …", show_time=True):
        return _groups(dataset.content_hash, dataset)


@st.cache_data(max_entries=8, show_spinner=False)
def _groups(content_hash: str, _dataset: ImageDataset) -> list[Group]:
    return find_copies(_dataset)


def _of(groups: list[Group], kind: str) -> list[Group]:
    wanted = {"all": lambda _: True, "leaks": lambda group: group.leaks, "labels": lambda group: group.contradicts}
    return list(filter(wanted.get(kind, lambda group: group.kind == kind), groups))


def _summary(groups: list[Group]) -> None:
    leaks = _of(groups, "leaks")
    figures.facts(
        {
            "Groups of copies": f"{len(groups):,}",
            "Images in them": f"{sum(len(group.positions) for group in groups):,}",
            "Groups across splits": f"{len(leaks):,}",
            "Groups with two labels": f"{len(_of(groups, 'labels')):,}",
        }
    )
    if leaks:
        tested = sum(group.splits.count("test") for group in leaks)
        st.warning(
            f"{words.count(len(leaks), 'image')} {'is' if len(leaks) == 1 else 'are'} in more than one split"
            + (f", {tested:,} of the test images among them" if tested else "")
            + ": a network that has memorised an image is right on its copy, and seems better than it is.",
            icon=":material/water_drop:",
        )


def _remove(dataset: ImageDataset, groups: list[Group]) -> None:
    copies, leaks = copies_to_remove(groups), copies_to_remove(groups, leaks_only=True)
    with st.container(horizontal=True):
        if leaks and st.button(
            f"Remove only what leaks ({len(leaks):,})",
            icon=":material/water_drop:",
            key="remove-leaks",
            help="Takes copies of test images out of training and validation, and copies of validation images out of "
            "training. The test images stay as they are.",
        ):
            versions.make(dataset, removed=leaks)
        if st.button(
            f"Remove the copies ({len(copies):,})",
            icon=":material/content_cut:",
            key="remove-copies",
            help="Keeps one image of each group: the one in the test split where there is one, so that the exam stays "
            "as it is; else the one in validation; else one of those trained on.",
        ):
            versions.make(dataset, removed=copies)
    st.caption("Either makes a new version of the data set and opens it; this one stays as it is.")


def _group(dataset: ImageDataset, group: Group) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        same = "The same pixels" if group.kind == "exact" else "Nearly the same"
        st.markdown(f"**{same}**", width="content")
        if group.leaks:
            st.badge("across splits", icon=":material/water_drop:", color="orange")
        if group.contradicts:
            st.badge("two labels", icon=":material/call_split:", color="red")
    positions = np.array(group.positions[:MOST_TILES])
    names = [dataset.classes[label] for label in group.labels]
    captions = [f"{split} · {name}" for split, name in zip(group.splits, names, strict=True)][:MOST_TILES]
    hidden = ~sealed.shown(dataset, positions)
    images = [
        np.full_like(image, 128) if secret else image
        for image, secret in zip(dataset.images[positions], hidden, strict=True)
    ]
    gallery(images, [f"{text} · sealed" if secret else text for text, secret in zip(captions, hidden, strict=True)])
    if len(group.positions) > MOST_TILES:
        st.caption(f"and {len(group.positions) - MOST_TILES:,} more")
