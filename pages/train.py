"""Train: choose a recipe, press Train, watch it learn."""

from functools import partial

import streamlit as st

from cnn_core.errors import PlaygroundError
from cnn_core.jobs.queue import name_of, submit
from cnn_core.models.summary import LayerSummary
from cnn_core.planning.recipe import checked, input_of
from cnn_core.recipe import Recipe
from cnn_core.runs.store import store
from cnn_core.runs.tables import Run
from pages.ui.address import query
from pages.ui.address.recipe import forget, recipe_asked, recipe_now, recipe_shown
from pages.ui.charts.network import network_image, network_sentence, network_table
from pages.ui.forms import typed
from pages.ui.forms.recipe import recipe_form
from pages.ui.frame import layout, words
from pages.ui.frame.errors import plain, show_error
from pages.ui.runs import choosing
from pages.ui.train import live, smaller_batch


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


def layers_of(recipe: Recipe) -> list[LayerSummary]:
    """The network's table; empty after saying why the recipe cannot work."""
    try:
        return checked(recipe)[1]
    except PlaygroundError as error:
        show_error(error)
        return []


def start(recipe: Recipe, works: bool) -> None:
    """One sentence on what will happen, and the button that makes it happen."""
    training, wrong = recipe.training, typed.sentences()
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{plain(name_of(recipe))}**: {words.count(training.epochs, 'epoch')} in batches of "
            f"{training.batch_size}, {words.option(training.optimiser)} at {words.value(training.learning_rate)}"
        )
        if wrong:
            st.markdown(f":red[{' '.join(wrong)}]")
        unable = not works or bool(wrong)
        if st.button("Train", icon=":material/play_arrow:", type="primary", disabled=unable, key="train"):
            run_id = submit(recipe)
            forget()
            query.put(run=run_id)
            live.expect(run_id)
            st.rerun()


def show_network(recipe: Recipe, rows: list[LayerSummary], folded: bool) -> None:
    with st.expander("The network", icon=":material/account_tree:", expanded=not folded, key=f"network:{folded}"):
        st.caption(network_sentence(rows))
        network_image(rows, input_of(recipe)[0])
        network_table(rows)


layout.title("Train", "Choose what learns from what, press Train and watch. A link to this page brings it all back.")
run = run_on_show()
recipe = recipe_shown(run)
results, panel = layout.beside()
with results:
    if run:
        live.watch(run)  # before the form: a person waits for the first point
        live.controls(run)
        smaller_batch.offer(run)
        live.after(run)
    else:
        choosing.watch()
        choosing.live_now()
with panel, layout.card("Next run" if run else "Recipe", "Every choice is also in the address bar."):
    recipe_form(recipe, partial(recipe_now, run))
with results:
    rows = layers_of(recipe)
    start(recipe, works=bool(rows))
    if rows:
        show_network(recipe, rows, folded=run is not None)
