"""The stage while a run learns. It loads no torch before the page is drawn."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from cnn_core.models.layers import read_layers
from cnn_core.models.operations import operations
from cnn_core.planning.recipe import input_of
from cnn_core.runs.tables import Run
from pages.ui.data import datasets, sealed
from pages.ui.frame.errors import errors_shown
from pages.ui.stage import component

CHANNEL = "learning"


def show(run: Run, every: float) -> None:
    """The present weights at work on an image, anew every `every` seconds."""
    with st.container(key="live-stage"):
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
    before = component.last(CHANNEL)
    kept = before if before and str(before.get("key")).startswith(f"{run.id}:") else None
    component.feed(CHANNEL, payload or kept)
    if payload:
        with st.expander("How each layer learns", icon=":material/monitor_heart:"):
            _health(run, payload["health"])


def _health(run: Run, health: Mapping[str, Mapping[str, float | None]]) -> None:
    """Norms, update-to-weight ratio and dead units of every operation that has them."""
    layers, shape = read_layers(run.recipe.network.layers), input_of(run.recipe)
    rows = [
        {
            "Layer": f"{each.position + 1} · {each.title}",
            "Weight norm": found.get("weight_norm"),
            "Gradient norm": found.get("gradient_norm"),
            "Update / weight": found.get("update_ratio"),
            "Dead units": found.get("dead_share"),
        }
        for each in operations(layers, *shape)
        if (found := health.get(each.address))
    ]
    st.dataframe(rows, hide_index=True, height="content", key="health", column_config=COLUMNS)


NUMBER = st.column_config.NumberColumn
COLUMNS = {
    "Weight norm": NUMBER(help="Euclidean norm of the layer's weights and bias.", format="%.3g"),
    "Gradient norm": NUMBER(help="The same of the gradient of the last step.", format="%.3g"),
    "Update / weight": NUMBER(
        help="How far the last step moved the weights, over their norm. About 0.001 is usual; far more is unsteady, "
        "far less learns slowly.",
        format="%.2g",
    ),
    "Dead units": NUMBER(
        help="Maps or units of a ReLU that are zero for all of 64 validation images.", format="percent"
    ),
}
