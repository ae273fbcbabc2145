"""The recipe in the address bar: a link, a reload and a second browser show the same form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from cnn_core.data.augmentation.steps import read_steps
from cnn_core.data.catalogue.registry import dataset_sources
from cnn_core.errors import PlaygroundError
from cnn_core.models.presets import Layers, has_own_layers, layers_of, network_presets
from cnn_core.planning import networks
from cnn_core.planning.recipe import starting_recipe
from cnn_core.recipe import NetworkSpec, Recipe
from cnn_core.runs.tables import Run
from cnn_core.saved_networks import read_saved
from cnn_core.spec import fields
from cnn_core.starting_weights import FRESH
from pages.ui.frame.errors import show_error

Shown = Callable[[], Recipe]  # the recipe on show now: what a widget changes when a person used it
FIELDS = dict(fields(Recipe))
PLAIN = Recipe()
CHOICES: dict[str, Any] = {"data.dataset": dataset_sources, "network.preset": network_presets}


def recipe_shown(run: Run | None) -> Recipe:
    """The recipe of the address, else that of the run on show, else the recommended one.

    An address that cannot be read is answered with a sentence, and the recommended recipe is shown.
    """
    try:
        return _read(run)
    except PlaygroundError as error:
        show_error(error)
        return starting_recipe()


def recipe_now(run: Run | None) -> Recipe:
    """The same without the sentence."""
    try:
        return _read(run)
    except PlaygroundError:
        return starting_recipe()


def _read(run: Run | None) -> Recipe:
    if recipe_asked():
        query = st.query_params.to_dict()
        return _readable(Recipe.from_query(query, _base(query.get("data.dataset"), query.get("network.preset"))))
    return recipe_of(run) if run else starting_recipe()


def recipe_of(run: Run) -> Recipe:
    """A run's recipe as the form shows it. Raises RecipeError when it cannot be read."""
    return _without_own_layers(run.recipe)


def recipe_asked() -> bool:
    """Whether the address holds a recipe."""
    return any(name in FIELDS for name in st.query_params)


def query_of(recipe: Recipe) -> dict[str, str]:
    """A recipe as query parameters; what is as recommended for its data and network is left out."""
    names = {"data.dataset": recipe.data.dataset, "network.preset": recipe.network.preset}
    return recipe.to_query(recommended(recipe)) | names


def recommended(recipe: Recipe) -> Recipe:
    """What is recommended for the data and the network of a recipe."""
    return _base(recipe.data.dataset, recipe.network.preset)


def write(recipe: Recipe) -> None:
    """Put a recipe into the address."""
    query = query_of(recipe)
    for name in FIELDS:
        if name not in query:
            st.query_params.pop(name, None)
    st.query_params.update(query)


def forget() -> None:
    """Take the recipe out of the address."""
    for name in FIELDS:
        st.query_params.pop(name, None)


def replace(recipe: Recipe, name: str, value: Any) -> Recipe:
    """The recipe with one field changed, and what is recommended along with a new network or data set. A saved network
    brings its layers and the size of its images. Raises UnknownNameError where it is gone."""
    values = recipe.model_dump(mode="json")
    *path, last = name.split(".")
    place = values
    for step in path:
        place = place[step]
    place[last] = value
    if name in CHOICES:
        before = recommended(recipe)
        base = _base(values["data"]["dataset"], values["network"]["preset"]).model_dump(mode="json")
        if not read_saved(values["network"]["preset"]):
            values["data"]["image_size"] = base["data"]["image_size"]
        if recipe.data.validation_fraction == before.data.validation_fraction:
            values["data"]["validation_fraction"] = base["data"]["validation_fraction"]
        if name == "data.dataset" or recipe.augment == before.augment:
            values["augment"] = base["augment"]
        if name == "network.preset":
            values["network"] |= {"layers": (), "rates": (), "start": FRESH}
            if read_saved(value):
                saved = networks.find(value)
                values["network"]["layers"], values["data"]["image_size"] = saved.layers, saved.image_size
            else:
                values["training"] = base["training"]
    return Recipe.model_validate(values)


def with_network(recipe: Recipe, layers: Layers, image_size: int, source: str) -> Recipe:
    """The recipe with another network and the size of its images. `source` becomes `network.preset`; a preset as it is
    brings what is recommended along with it. Weights and rates of the former network are not carried over."""
    if source in network_presets and layers == network_presets.get(source).layers:
        network, recipe = NetworkSpec(preset=source), replace(recipe, "network.preset", source)
    else:
        network = NetworkSpec(preset=source, layers=layers)
    data = recipe.data.model_copy(update={"image_size": image_size})
    return recipe.model_copy(update={"network": network, "data": data})


def _base(dataset: str | None, preset: str | None) -> Recipe:
    """The recommended recipe for data and network, each the default where none is named. A saved network brings no
    training of its own; its link has to mean the same when it is gone."""
    known = PLAIN.network.preset if not preset or read_saved(preset) else preset
    return starting_recipe(dataset or PLAIN.data.dataset, known)


def _readable(recipe: Recipe) -> Recipe:
    """The recipe itself. Raises a PlaygroundError when the form could not show it."""
    read_steps(recipe.augment)
    layers_of(recipe.network)
    return recipe


def _without_own_layers(recipe: Recipe) -> Recipe:
    """A run's recipe has its layers written out; where they are just the preset's, the preset says it all."""
    if not recipe.network.preset or has_own_layers(recipe.network):
        return recipe
    return recipe.model_copy(update={"network": recipe.network.model_copy(update={"layers": ()})})
