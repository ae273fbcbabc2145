"""The choice of the weights that a network begins with."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import streamlit as st

from cnn_core.errors import PlaygroundError
from cnn_core.models.packaged import packaged_weights
from cnn_core.models.presets import layers_of
from cnn_core.models.summary import LayerSummary, summarise
from cnn_core.planning.recipe import input_of
from cnn_core.planning.weights import fitting, source_of, table_of
from cnn_core.recipe import Recipe
from cnn_core.runs.store import store
from cnn_core.runs.tables import Run
from cnn_core.starting_weights import FRESH, StartingWeights, read_start
from pages.ui.frame.errors import plain

KEY = "recipe:network.start"
RECENT, OFFERED = 60, 12  # recent runs, and how many of them that fit


def choice(recipe: Recipe, help: str | None, changed: Callable[[str], None]) -> None:
    """Fresh weights, packaged sets and recent runs whose weights fit; what the address names else stands first."""
    chosen, table = recipe.network.start, _table(recipe)
    titles = {FRESH: "Fresh random weights"} | _packaged(table) | _runs(table)
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
        st.caption(plain(_what_fits(chosen, table)))


def _table(recipe: Recipe) -> list[LayerSummary]:
    """Of the recipe's network; empty where it cannot work, which is said elsewhere."""
    try:
        return summarise(layers_of(recipe.network), *input_of(recipe))
    except PlaygroundError:
        return []


def _packaged(table: list[LayerSummary]) -> dict[str, str]:
    fit = [name for name in packaged_weights.names() if fitting(table, _packaged_table(name))]
    return {f"packaged {name}": f"Packaged: {packaged_weights.get(name).title}" for name in fit}


@lru_cache(maxsize=32)
def _packaged_table(name: str) -> list[LayerSummary]:
    packaged = packaged_weights.get(name)
    return summarise(packaged.layers, packaged.shape, packaged.classes)


def _runs(table: list[LayerSummary]) -> dict[str, str]:
    """From their rows alone, without a look at their files."""
    offered: dict[str, str] = {}
    for run in store().runs(limit=RECENT):
        if len(offered) < OFFERED and run.best_epoch and fitting(table, _table_of(run.recipe_json)):
            offered[str(StartingWeights("run", run.id, run.best_epoch))] = _of(run, run.best_epoch)
    return offered


@lru_cache(maxsize=256)
def _table_of(recipe_json: str) -> list[LayerSummary]:
    """Of a run's network; empty where its recipe cannot be read, or its data set is gone."""
    recipe = Run(recipe_json=recipe_json).known_recipe
    return _table(recipe) if recipe else []


def short(start: str) -> str:
    """Where weights come from, in two or three words."""
    weights = read_start(start)
    if weights.source != "run":
        return f"{weights.source} weights"
    run = next((run for run in store().runs() if run.id == weights.name), None)
    return f"run #{run.number}" if run else f"run {weights.name}"


def _title(start: StartingWeights) -> str:
    if start.source != "run":
        return str(start)
    run = next((run for run in store().runs() if run.id == start.name), None)
    return _of(run, start.epoch) if run else f"Run {start.name}, which is not here"


def _of(run: Run, epoch: int | None) -> str:
    return f"Run #{run.number} {run.name}" + (f", epoch {epoch}" if epoch is not None else "")


def _what_fits(start: str, table: list[LayerSummary]) -> str:
    """How many layers take their weights from there."""
    try:
        source = source_of(read_start(start))
    except PlaygroundError as error:
        return str(error)
    learned, taken = len(fitting(table, table)), len(fitting(table, table_of(source))) if source else 0
    if taken == learned:
        return f"All {taken} layers with weights begin with those."
    return f"{taken} of {learned} layers with weights begin with those, the others with fresh ones."
