"""The recipe whose network is shaped: that of the address, else the one that was shaped last in this session."""

from __future__ import annotations

import streamlit as st

from cnn_core.models.faulty_networks import faulty_networks
from cnn_core.models.presets import Layers
from cnn_core.recipe import Recipe
from pages.ui.address.recipe import query_of, recipe_asked, recipe_shown
from pages.ui.network import changes

CARRIED = "network:recipe"  # as query parameters


def recipe() -> Recipe:
    if not recipe_asked() and (carried := st.session_state.get(CARRIED)):
        st.query_params.update(carried)
    found = recipe_shown(None)
    st.session_state[CARRIED] = query_of(found)
    return found


def starting_points(recipe: Recipe, layers: Layers) -> None:
    """The networks to start from, also those that cannot run as they are printed."""
    for name in faulty_networks.names():
        preset = faulty_networks.get(name)
        st.button(
            preset.title, help=preset.teaches, on_click=_choose, args=(recipe, preset.layers, preset.image_size, name)
        )


def _choose(recipe: Recipe, layers: Layers, image_size: int, name: str) -> None:
    changes.change(recipe, layers, image_size or recipe.data.image_size, preset=name)
