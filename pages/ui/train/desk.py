"""The button that trains, in one fixed place, and what stands in its way."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from cnn_core.errors import PlaygroundError
from cnn_core.jobs.queue import submit
from cnn_core.models.doctor import examine
from cnn_core.models.presets import layers_of
from cnn_core.models.summary import LayerSummary
from cnn_core.planning.recipe import checked, input_of
from cnn_core.recipe import Recipe, diff
from cnn_core.runs.tables import Run
from pages.ui.address import query
from pages.ui.address.recipe import forget, recipe_of, replace, write
from pages.ui.forms import typed
from pages.ui.frame import words
from pages.ui.frame.errors import errors_shown, plain, show_error
from pages.ui.train import live

STYLE = Path(__file__).parent / "train.css"
MOST_REPAIRS = 3


def train(recipe: Recipe, run: Run | None, works: bool) -> None:
    """Train; quiet beside a run that still goes on, whose own buttons matter more."""
    wrong = typed.sentences()
    busy = run is not None and (run.live or run.resumable)
    kind = "secondary" if busy else "primary"
    unable = not works or bool(wrong)
    if st.button("Train", icon=":material/play_arrow:", type=kind, disabled=unable, key="train", width="stretch"):  # type: ignore[arg-type]
        with errors_shown():
            run_id = submit(recipe)
            forget()
            query.put(run=run_id)
            live.expect(run_id)
            st.rerun()
    if wrong:
        st.markdown(f":red[{' '.join(wrong)}]")
    elif run:
        _beside(recipe, run)
    else:
        st.caption("It learns in the background: you may close this page, or queue more runs.")


def _beside(recipe: Recipe, run: Run) -> None:
    """How the choices on show differ from those of the run on show."""
    try:
        names = [words.label(name) for name, _, _ in diff(recipe_of(run), recipe)]
    except PlaygroundError:  # its recipe cannot be read
        return
    if names:
        st.caption(f"A new run: {words.count(len(names), 'choice')} differ from this one", help=", ".join(names))
    else:
        st.caption("Trains the same again as a new run")


def table_of(recipe: Recipe) -> list[LayerSummary]:
    """The network's table; empty after saying why the recipe cannot work, and how to mend it."""
    try:
        return checked(recipe)[1]
    except PlaygroundError as error:
        show_error(error)
        _repairs(recipe)
        return []


def _repairs(recipe: Recipe) -> None:
    """A button for each way to mend the first thing that does not fit."""
    try:
        layers = layers_of(recipe.network)
        found = examine(layers, *input_of(recipe), recipe.training.batch_size)
    except PlaygroundError:
        return
    first = next((finding for finding in found if finding.severity == "error"), None)
    if first is None:
        return
    with st.container(horizontal=True):
        if first.image_size:
            _mend(f"Use images of {first.image_size} px", replace(recipe, "data.image_size", first.image_size), "size")
        for number, repair in enumerate(first.repairs[:MOST_REPAIRS]):
            network = recipe.network.model_copy(update={"layers": repair.apply(layers), "rates": ()})
            _mend(repair.title, recipe.model_copy(update={"network": network}), str(number))


def _mend(title: str, mended: Recipe, name: str) -> None:
    if st.button(plain(title), icon=":material/build:", key=f"repair:{name}"):
        write(mended)
        st.rerun()
