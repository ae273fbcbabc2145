"""Train: choose a recipe, press Train, watch it learn."""

from functools import partial

import streamlit as st

from cnn_core.errors import PlaygroundError
from cnn_core.models.summary import LayerSummary
from cnn_core.planning.recipe import input_of
from cnn_core.recipe import Recipe
from cnn_core.runs.store import store
from cnn_core.runs.tables import Run
from pages.ui.address import query
from pages.ui.address.recipe import recipe_asked, recipe_now, recipe_shown
from pages.ui.charts.network import network_image, network_sentence, network_table
from pages.ui.frame import layout
from pages.ui.frame.errors import show_error
from pages.ui.runs import choosing
from pages.ui.train import desk, live, plan, smaller_batch


def run_on_show() -> Run | None:
    """The run of the address, else the one on show last; one that is unknown is answered with a sentence."""
    wanted = query.asked("run") if recipe_asked() else choosing.on_show()
    live.wait_for_first_point(wanted)
    try:
        run = store().get(wanted) if wanted else None
    except PlaygroundError as error:
        show_error(error)
        return None
    if run:
        query.put(run=run.id)
        choosing.keep_on_show(run)
    return run


def show_network(recipe: Recipe, rows: list[LayerSummary], folded: bool) -> None:
    with st.expander("The network", icon=":material/account_tree:", expanded=not folded, key=f"network:{folded}"):
        st.caption(network_sentence(rows))
        network_image(rows, input_of(recipe)[0])
        network_table(rows)


ABOUT = "Choose what learns from what, press Train and watch. A link to this page brings it all back."

layout.title("Train", ABOUT, one_row=True)
st.html(desk.STYLE)
with st.container(key="train-page"):
    top, problem, results, more = (st.container(key=key) for key in ("train-top", "problem", "results", "more"))
    with top:  # nothing of changing height stands above: the button never moves
        parts, buttons = st.container(key="plan"), st.container(key="desk", gap="xsmall")
with results:
    run = run_on_show()
    recipe = recipe_shown(run)
    if run:
        live.watch(run)  # before the form: a person waits for the first point
        smaller_batch.offer(run)
        if not run.live:
            live.after(run)
    else:
        choosing.watch()
        choosing.live_now()
with problem:
    rows = desk.table_of(recipe)
with parts:
    plan.cards(recipe, partial(recipe_now, run), rows)
with buttons:
    desk.train(recipe, run, works=bool(rows))
    if run:
        live.controls(run)
with more:
    if run and run.live:
        live.after(run)  # on a phone its controls come first
        live.stage(run)
    if rows:
        show_network(recipe, rows, folded=run is not None and run.step > 0)
