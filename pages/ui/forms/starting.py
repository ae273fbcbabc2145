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
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store
from cnn_core.runs.tables import Run
from cnn_core.starting_weights import FRESH, StartingWeights, read_start
from pages.ui.frame.errors import plain

KEY, EPOCH = "recipe:network.start", "start:epoch"
MOST_NAMED = 6  # layers in a sentence
RECENT, OFFERED = 60, 12  # recent runs, and how many of them that fit


def choice(recipe: Recipe, help: str | None, changed: Callable[[str], None]) -> None:
    """Fresh weights, packaged sets and recent runs whose weights fit; what the address names else stands first."""
    chosen, table = recipe.network.start, _table(recipe)
    start = read_start(chosen)
    titles = {FRESH: "Fresh random weights"} | _packaged(table) | _runs(table, start)
    if chosen not in titles:
        titles = {chosen: _title(start)} | titles
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
    if start.source == "run":
        _epochs(start, changed)
    if chosen != FRESH:
        st.caption(plain(what_fits(start, table, input_of(recipe)[1])))


def _epochs(start: StartingWeights, changed: Callable[[str], None]) -> None:
    """A slider of the epochs whose weights the run has kept."""
    try:
        best = store().get(start.name).best_epoch
        kept = sorted({*RunFolder(start.name).epochs(), *([best] if best else [])})
    except PlaygroundError:  # said by the sentence below
        return
    now = best if start.epoch is None else start.epoch
    if len(kept) < 2 or now not in kept:
        return
    st.session_state[EPOCH] = now
    st.select_slider(
        "Epoch of that run",
        kept,
        format_func=lambda epoch: f"{epoch}, the best" if epoch == best else str(epoch),
        key=EPOCH,
        help="Early weights have learned edges and textures, late ones the classes of their own data.",
        on_change=_epoch_chosen,
        args=(start.name, changed),
    )


def _epoch_chosen(run_id: str, changed: Callable[[str], None]) -> None:
    st.session_state[KEY] = str(StartingWeights("run", run_id, st.session_state[EPOCH]))
    changed(KEY)


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


def _runs(table: list[LayerSummary], chosen: StartingWeights) -> dict[str, str]:
    """At their best epochs, the chosen one at its own; from their rows alone, without a look at their files."""
    offered: dict[str, str] = {}
    for run in store().runs(limit=RECENT):
        if len(offered) < OFFERED and run.best_epoch and fitting(table, _table_of(run.recipe_json)):
            epoch = chosen.epoch if chosen.name == run.id and chosen.epoch is not None else run.best_epoch
            offered[str(StartingWeights("run", run.id, epoch))] = _of(run, epoch)
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


def what_fits(start: StartingWeights, table: list[LayerSummary], classes: int) -> str:
    """Which layers of a network for that many classes take their weights from there, and which begin fresh."""
    try:
        source = source_of(start)
    except PlaygroundError as error:
        return str(error)
    learned, taken = fitting(table, table), fitting(table, table_of(source)) if source else []
    fresh = [table[position] for position in learned if position not in taken]
    if not fresh:
        return f"All {len(taken)} layers with weights begin with those."
    if source and fresh == [table[learned[-1]]] and source.classes != classes:
        head = f"{fresh[0].title.lower()}, is replaced: it told {source.classes} classes apart, here are {classes}"
        return f"{len(taken)} of {len(learned)} layers with weights begin with those. The last one, {head}."
    names = [f"{row.position + 1} {row.title.lower()}" for row in fresh]
    named = ", ".join(names[:MOST_NAMED]) + (" …" if len(names) > MOST_NAMED else "")
    return f"{len(taken)} of {len(learned)} layers with weights begin with those, the others with fresh ones: {named}."
