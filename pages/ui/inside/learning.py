"""The stage while a run learns. It loads no torch before the page is drawn."""

from __future__ import annotations

import streamlit as st

from cnn_core.runs.tables import Run
from pages.ui.data import datasets, sealed
from pages.ui.frame.errors import errors_shown
from pages.ui.stage import component

CHANNEL = "learning"


def show(run: Run, every: float) -> None:
    """The present weights at work on an image, anew every `every` seconds."""
    component.mount(CHANNEL, compact=True)
    st.fragment(_feed, run_every=every)(run)


@errors_shown()
def _feed(run: Run) -> None:
    if not component.asked(CHANNEL):
        component.feed(CHANNEL, None)
        return
    from pages.ui.inside import present
    from pages.ui.inside.subject import first
    from pages.ui.understand.classifiers import quiet

    quiet()
    dataset = datasets.of_run(run)
    payload = present.payload(run, first(dataset, sealed.unseen(dataset)), dataset)
    component.feed(CHANNEL, payload or component.last(CHANNEL))
