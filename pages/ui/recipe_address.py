"""The recipe in the address bar: a link, a reload and a second browser show the same form."""

from __future__ import annotations

from typing import Any

import streamlit as st

from cnn_core.data.augment import read_steps
from cnn_core.data.sources import dataset_sources
from cnn_core.errors import PlaygroundError
from cnn_core.models.presets import layers_of, network_presets
from cnn_core.recipe import NetworkSpec, Recipe, fields
from cnn_core.runs.tables import Run
from cnn_core.training.plan import starting_recipe
from pages.ui.errors import say

FIELDS = dict(fields(Recipe))
CHOICES: dict[str, Any] = {"data.dataset": dataset_sources, "network.preset": network_presets}


def recipe_shown(run: Run | None) -> Recipe:
    """The recipe of the address, else that of the run on show, else the recommended one.

    An address that cannot be read is answered with a sentence, and the recommended recipe is shown.
    """
    try:
        if any(name in FIELDS for name in st.query_params):
            return _readable(Recipe.from_query(st.query_params.to_dict(), _base(st.query_params.to_dict())))
        return _without_own_layers(run.recipe) if run else starting_recipe()
    except PlaygroundError as error:
        say(error)
        return starting_recipe()


def write(recipe: Recipe) -> None:
    """Put a recipe into the address; what is as recommended for its data and network is left out."""
    names = {"data.dataset": recipe.data.dataset, "network.preset": recipe.network.preset}
    query = recipe.to_query(_base(names)) | names
    for name in FIELDS:
        if name not in query:
            st.query_params.pop(name, None)
    st.query_params.update(query)


def forget() -> None:
    """Take the recipe out of the address."""
    for name in FIELDS:
        st.query_params.pop(name, None)


def replace(recipe: Recipe, name: str, value: Any) -> Recipe:
    """The recipe with one field changed, and what is recommended along with a new network or data set."""
    values = recipe.model_dump(mode="json")
    *path, last = name.split(".")
    place = values
    for step in path:
        place = place[step]
    place[last] = value
    if name in CHOICES:
        chosen = {"data.dataset": values["data"]["dataset"], "network.preset": values["network"]["preset"]}
        base = _base(chosen).model_dump(mode="json")
        values["data"]["image_size"] = base["data"]["image_size"]
        part = "augment" if name == "data.dataset" else "training"
        values[part] = base[part]
        if name == "network.preset":
            values["network"]["layers"] = ()
    return Recipe.model_validate(values)


def _base(query: dict[str, str]) -> Recipe:
    """The recommended recipe for the data and network that a query names."""
    plain = Recipe()
    dataset, preset = query.get("data.dataset"), query.get("network.preset")
    return starting_recipe(dataset or plain.data.dataset, preset or plain.network.preset)


def _readable(recipe: Recipe) -> Recipe:
    """The recipe itself. Raises a PlaygroundError when the form could not show it."""
    read_steps(recipe.augment)
    layers_of(recipe.network)
    return recipe


def _without_own_layers(recipe: Recipe) -> Recipe:
    """A run's recipe has its layers written out; where they are just the preset's, the preset says it all."""
    preset = recipe.network.preset
    if preset not in network_presets or recipe.network.layers != network_presets.get(preset).layers:
        return recipe
    return recipe.model_copy(update={"network": NetworkSpec(preset=preset)})
