"""The sealed test images of the data sets that people bring: not shown until somebody asks, and then counted."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn_core.data.catalogue import versions
from cnn_core.data.dataset import ImageDataset
from cnn_core.errors import UnknownNameError
from pages.ui.frame import words


def is_sealed(dataset: ImageDataset) -> bool:
    """Whether the test images must not be shown in this session."""
    return versions.is_own(dataset.name) and not st.session_state.get(_key(dataset))


def unseen(dataset: ImageDataset) -> str:
    """The split to take examples from that no network has learned from: test images unless they are sealed."""
    return "validation" if is_sealed(dataset) else "test"


def shown(dataset: ImageDataset, positions: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of `positions` may be shown."""
    if not is_sealed(dataset):
        return np.ones(len(positions), bool)
    return ~np.isin(positions, dataset.splits["test"])


def asked(dataset: ImageDataset) -> bool:
    """Where the test images are sealed: say why and offer to look, once on a page. Returns whether they still are."""
    if not is_sealed(dataset):
        return False
    with st.container(border=True):
        st.markdown(":material/lock: **The test images are sealed**")
        st.markdown(
            "Their one use is to say how good a network is on images that nobody knew. Whoever looks at them and then "
            "changes something has taken them into account, and the test accuracy comes out too good."
        )
        st.caption(_so_far(dataset))
        if st.button("Show the test images", icon=":material/visibility:", key="look"):
            versions.count_look(dataset.name)
            st.session_state[_key(dataset)] = True
            st.rerun()
    return True


def note(dataset: ImageDataset) -> None:
    """How often the test images were looked at, of a data set where that is counted."""
    if versions.is_own(dataset.name):
        icon = ":material/lock:" if is_sealed(dataset) else ":material/lock_open:"
        st.caption(f"{icon} {_so_far(dataset)}")


def looks(dataset_id: str) -> int:
    """Looks at the test images of a version and of those it was made from: they are mostly the same images."""
    total, seen = 0, set()
    while versions.is_own(dataset_id) and dataset_id not in seen:
        seen.add(dataset_id)
        try:
            known = versions.about(dataset_id)
        except UnknownNameError:  # an earlier version was deleted
            break
        total, dataset_id = total + known.looks, known.parent
    return total


def _so_far(dataset: ImageDataset) -> str:
    count = looks(dataset.name)
    if not count:
        return "Nobody has seen the test images yet."
    return f"The test images were shown {words.count(count, 'time')}: each time makes the test accuracy less reliable."


def _key(dataset: ImageDataset) -> str:
    return f"looked:{dataset.name}"
