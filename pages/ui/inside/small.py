"""The stage in small, for pages that are about something else. It loads no torch before the page is drawn."""

from __future__ import annotations

import streamlit as st

from cnn_core.errors import PlaygroundError
from cnn_core.planning.recipe import check, starting_recipe
from cnn_core.recipe import Recipe
from cnn_core.runs.tables import Run
from pages.ui.data import datasets, sealed
from pages.ui.frame.errors import errors_shown
from pages.ui.stage import component

CHANNEL, FRESH = "small", "fresh"


def show(run: Run | None) -> None:
    """The best weights of a run at work on an image of its data set; without a run, the network of the first experiment
    before it has learned anything."""
    if run is None:
        st.markdown(
            "**The network of the first experiment**, its weights still random. Train it and watch them change."
        )
    else:
        text = f"Run #{run.number} at work on an image it has not learned from: open Inside"
        st.page_link("pages/inside.py", label=text, icon=":material/layers:", query_params={"run": run.id})
    component.mount(CHANNEL, compact=True)
    st.fragment(_feed)(run)


def fresh(recipe: Recipe) -> None:
    """The whole stage for a recipe whose layers are written out, before it has learned anything."""
    component.mount(FRESH)
    st.fragment(_feed_fresh)(recipe)


@errors_shown()
def _feed_fresh(recipe: Recipe) -> None:
    from pages.ui.inside import frames

    component.feed(FRESH, frames.fresh_payload(recipe))


@errors_shown()
def _feed(run: Run | None) -> None:
    if not component.asked(CHANNEL):
        component.feed(CHANNEL, None)
        return
    from pages.ui.inside import frames
    from pages.ui.inside.subject import first
    from pages.ui.understand.classifiers import quiet

    quiet()
    if run is None:
        component.feed(CHANNEL, frames.fresh_payload(check(starting_recipe())))
        return
    try:
        dataset = datasets.of_run(run)
    except PlaygroundError:  # its images are gone: Home is not the place to say so
        component.feed(CHANNEL, frames.fresh_payload(check(starting_recipe())))
        return
    component.feed(CHANNEL, frames.payload(run, run.best_epoch or 0, first(dataset, sealed.unseen(dataset)), None))
