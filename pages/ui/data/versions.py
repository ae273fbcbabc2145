"""Making a new version of a data set from a page, and opening it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import streamlit as st

from cnn_core.data.catalogue import versions
from cnn_core.data.catalogue.registry import dataset_sources
from cnn_core.data.dataset import ImageDataset
from pages.ui.address import query
from pages.ui.frame.errors import errors_shown, plain

TOLD = "new version"
Decisions = dict[int, int]  # position in the data set -> what is to become of it


def decisions(dataset: ImageDataset) -> Decisions:
    """What was decided about single images in this session; empty again once a version was made of it."""
    found: Decisions = st.session_state.setdefault(_key(dataset), {})
    return found


def make(dataset: ImageDataset, removed: Collection[int] = (), relabelled: Mapping[int, int] | None = None) -> None:
    """Write the version and open it on the Data page; what makes it impossible is said."""
    title = dataset_sources.get(dataset.name).title
    with errors_shown(), st.spinner("Writing the new version …", show_time=True):
        new = versions.derive(dataset, f"{title[:60]}, mended", removed=removed, relabelled=relabelled)
        st.session_state.pop(_key(dataset), None)
        st.session_state[TOLD] = (
            f"This is **{plain(new.title)}**: {plain(title)} with {plain(new.note.lower().rstrip('.'))}. "
            "The old version is still there, with the runs that used it."
        )
        query.put(dataset=new.id, view="samples", **dict.fromkeys(("class", "page", "image", "run", "split")))
        st.rerun()


def announce() -> None:
    """Once after a version was made: what it is."""
    if sentence := st.session_state.pop(TOLD, ""):
        st.success(sentence, icon=":material/library_add_check:")


def _key(dataset: ImageDataset) -> str:
    return f"decisions:{dataset.name}"
