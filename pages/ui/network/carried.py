"""The recipe whose network is shaped: that of the address, else the one that was shaped last in this session."""

from __future__ import annotations

import streamlit as st

from cnn_core.models.presets import Layers
from cnn_core.recipe import Recipe
from pages.ui.address.recipe import query_of, recipe_asked, recipe_shown, with_network, write
from pages.ui.network import changes, saving
from pages.ui.network import starting_points as points

CARRIED = "network:recipe"  # as query parameters


def recipe() -> Recipe:
    if not recipe_asked() and (carried := st.session_state.get(CARRIED)):
        st.query_params.update(carried)
    found = recipe_shown(None)
    st.session_state[CARRIED] = query_of(found)
    return found


def starting_points(recipe: Recipe, layers: Layers) -> None:
    """Where to start from, and saving what was made of it."""

    def chosen(others: Layers, image_size: int, source: str) -> None:
        changes.remember(recipe)
        write(with_network(recipe, others, image_size, source))

    points.choose(recipe, chosen)
    size = recipe.data.image_size
    saving.show(layers, size, recipe.network.preset, lambda name: write(with_network(recipe, layers, size, name)))
