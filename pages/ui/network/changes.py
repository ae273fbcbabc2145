"""What is done to the network of the recipe in the address, and undone."""

from __future__ import annotations

from typing import Any

import streamlit as st

from cnn_core.errors import PlaygroundError
from cnn_core.models.layers import read_layers
from cnn_core.models.operations import covers, operations
from cnn_core.models.presets import has_own_layers, layers_of
from cnn_core.models.tree import Layers
from cnn_core.planning.recipe import input_of
from cnn_core.recipe import NetworkSpec, Recipe
from pages.ui.address.recipe import write

DONE, UNDONE = "network:done", "network:undone"
MOST = 100  # steps that can be undone
Change = tuple[Layers, int]  # the layers and the size of the images they are for


def change(recipe: Recipe, layers: Layers, image_size: int | None = None, **network: Any) -> None:
    """Write other layers into the address; what was there can be brought back."""
    _stack(DONE).append(_now(recipe))
    del _stack(DONE)[:-MOST]
    _stack(UNDONE).clear()
    _write(recipe, layers, recipe.data.image_size if image_size is None else image_size, **network)


def undo(recipe: Recipe) -> None:
    _back(recipe, _stack(DONE), _stack(UNDONE))


def redo(recipe: Recipe) -> None:
    _back(recipe, _stack(UNDONE), _stack(DONE))


def can() -> dict[str, bool]:
    """Whether there is something to undo, and to redo."""
    return {"undo": bool(_stack(DONE)), "redo": bool(_stack(UNDONE))}


def _back(recipe: Recipe, from_: list[Change], to: list[Change]) -> None:
    if from_:
        to.append(_now(recipe))
        _write(recipe, *from_.pop())


def _now(recipe: Recipe) -> Change:
    return layers_of(recipe.network), recipe.data.image_size


def _stack(name: str) -> list[Change]:
    found: list[Change] = st.session_state.setdefault(name, [])
    return found


def _write(recipe: Recipe, layers: Layers, image_size: int, **network: Any) -> None:
    """Layers that are just the preset's need not be written out; rates of parts that are gone go too."""
    data = recipe.data.model_copy(update={"image_size": image_size})
    now = recipe.network.model_copy(update={"layers": tuple(layers), **network})
    recipe = recipe.model_copy(update={"data": data, "network": now})
    now = now.model_copy(update={"rates": _rates(recipe), "layers": now.layers if has_own_layers(now) else ()})
    write(recipe.model_copy(update={"network": now}))


def _rates(recipe: Recipe) -> tuple[Any, ...]:
    network: NetworkSpec = recipe.network
    if not network.rates:
        return ()
    try:
        parts = [part.address for part in operations(read_layers(network.layers), *input_of(recipe))]
    except PlaygroundError:  # the doctor says why
        return network.rates
    return tuple(rate for rate in network.rates if any(covers(rate.address, part) for part in parts))
