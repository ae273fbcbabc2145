"""What is done to the network of the recipe in the address, and undone."""

from __future__ import annotations

from typing import Any

import streamlit as st

from cnn_core.errors import PlaygroundError
from cnn_core.models.layers import read_layers
from cnn_core.models.operations import covers, operations
from cnn_core.models.presets import has_own_layers
from cnn_core.models.tree import Layers
from cnn_core.planning.recipe import input_of
from cnn_core.recipe import NetworkSpec, Recipe
from pages.ui.address.recipe import write

DONE, UNDONE = "network:done", "network:undone"
MOST = 100  # steps that can be undone
Past = tuple[NetworkSpec, int]  # a network and the size of the images it is for


def change(recipe: Recipe, layers: Layers, image_size: int | None = None) -> None:
    """Write other layers into the address; what was there can be brought back."""
    remember(recipe)
    size = recipe.data.image_size if image_size is None else image_size
    network = recipe.network.model_copy(update={"layers": tuple(layers)})
    if not has_own_layers(network):  # just the preset's: they need not be written out
        network = network.model_copy(update={"layers": ()})
    _write(recipe, network, size)


def remember(recipe: Recipe) -> None:
    """Before the network is changed: this one can be brought back."""
    _stack(DONE).append((recipe.network, recipe.data.image_size))
    del _stack(DONE)[:-MOST]
    _stack(UNDONE).clear()


def undo(recipe: Recipe) -> None:
    _back(recipe, _stack(DONE), _stack(UNDONE))


def redo(recipe: Recipe) -> None:
    _back(recipe, _stack(UNDONE), _stack(DONE))


def can() -> dict[str, bool]:
    """Whether there is something to undo, and to redo."""
    return {"undo": bool(_stack(DONE)), "redo": bool(_stack(UNDONE))}


def _back(recipe: Recipe, from_: list[Past], to: list[Past]) -> None:
    if from_:
        to.append((recipe.network, recipe.data.image_size))
        _write(recipe, *from_.pop())


def _stack(name: str) -> list[Past]:
    found: list[Past] = st.session_state.setdefault(name, [])
    return found


def _write(recipe: Recipe, network: NetworkSpec, image_size: int) -> None:
    """Rates of parts that are gone go too."""
    data = recipe.data.model_copy(update={"image_size": image_size})
    recipe = recipe.model_copy(update={"data": data, "network": network})
    network = network.model_copy(update={"rates": _rates(recipe)})
    write(recipe.model_copy(update={"network": network}))


def _rates(recipe: Recipe) -> tuple[Any, ...]:
    network = recipe.network
    if not network.rates or not network.layers:
        return network.rates
    try:
        parts = [part.address for part in operations(read_layers(network.layers), *input_of(recipe))]
    except PlaygroundError:  # the doctor says why
        return network.rates
    return tuple(rate for rate in network.rates if any(covers(rate.address, part) for part in parts))
