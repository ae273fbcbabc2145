"""The choice of the weights that a network begins with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from cnn_core.errors import PlaygroundError
from cnn_core.models.packaged import packaged_weights
from cnn_core.models.presets import layers_of
from cnn_core.planning.recipe import input_of
from cnn_core.planning.weights import WeightSource, fitting, source_of
from cnn_core.recipe import Recipe
from cnn_core.runs.store import store
from cnn_core.runs.tables import Run
from cnn_core.starting_weights import FRESH, StartingWeights, read_start
from pages.ui.frame.errors import plain

KEY = "recipe:network.start"
LOOKED_AT, OFFERED = 60, 12  # recent runs, and how many of them that fit


def choice(recipe: Recipe, help: str | None, changed: Callable[[str], None]) -> None:
    """Fresh weights, packaged sets and recent runs whose weights fit; what the address names else stands first."""
    chosen = recipe.network.start
    titles = {FRESH: "Fresh random weights"} | _packaged(recipe) | _runs(recipe)
    if chosen not in titles:
        titles = {chosen: _title(read_start(chosen))} | titles
    st.session_state[KEY] = chosen
    st.selectbox(
        "Starting weights",
        list(titles),
        format_func=titles.__getitem__,
        key=KEY,
        help=help,
        on_change=changed,
        args=(KEY,),
    )
    if chosen != FRESH:
        st.caption(plain(_what_fits(recipe)))


def _packaged(recipe: Recipe) -> dict[str, str]:
    sources = {known: source_of(StartingWeights("packaged", known)) for known in packaged_weights.names()}
    fit = [known for known, source in sources.items() if source and _fits(recipe, source)]
    return {f"packaged {known}": f"Packaged: {packaged_weights.get(known).title}" for known in fit}


def _runs(recipe: Recipe) -> dict[str, str]:
    offered: dict[str, str] = {}
    for run in store().runs(limit=LOOKED_AT):
        if len(offered) < OFFERED and run.best_epoch and _fits(recipe, _of_run(run)):
            offered[str(StartingWeights("run", run.id, run.best_epoch))] = _of(run, run.best_epoch)
    return offered


def _of_run(run: Run) -> WeightSource | None:
    """From its row alone, without a look at its files."""
    try:
        shape, classes = input_of(run.recipe)
        return WeightSource(Path(), layers_of(run.recipe.network), shape, classes)
    except PlaygroundError:  # its recipe cannot be read, or its data set is gone
        return None


def _fits(recipe: Recipe, source: WeightSource | None) -> bool:
    try:
        return source is not None and bool(fitting(layers_of(recipe.network), *input_of(recipe), source))
    except PlaygroundError:
        return False


def _title(start: StartingWeights) -> str:
    if start.source != "run":
        return str(start)
    run = next((run for run in store().runs() if run.id == start.name), None)
    return _of(run, start.epoch) if run else f"Run {start.name}, which is not here"


def _of(run: Run, epoch: int | None) -> str:
    return f"Run #{run.number} {run.name}" + (f", epoch {epoch}" if epoch is not None else "")


def _what_fits(recipe: Recipe) -> str:
    """How many layers take their weights from there."""
    try:
        source, layers = source_of(read_start(recipe.network.start)), layers_of(recipe.network)
        shape, classes = input_of(recipe)
        everything = fitting(layers, shape, classes, WeightSource(Path(), layers, shape, classes))
        taken = len(fitting(layers, shape, classes, source)) if source else 0
    except PlaygroundError as error:
        return str(error)
    if taken == len(everything):
        return f"All {taken} layers with weights begin with those."
    return f"{taken} of {len(everything)} layers with weights begin with those, the others with fresh ones."
