"""A page with where to start from and saving: what a page has to do for the two parts."""

import streamlit as st

from cnn_core.models.presets import layers_of, title_of
from pages.ui.address.recipe import recipe_shown, with_network, write
from pages.ui.frame.errors import plain
from pages.ui.network import saving, starting_points

recipe = recipe_shown(None)
layers, size = layers_of(recipe.network), recipe.data.image_size
st.markdown(plain(title_of(recipe.network)))
with st.container(horizontal=True):
    starting_points.choose(recipe, lambda *chosen: write(with_network(recipe, *chosen)))
    saving.show(layers, size, recipe.network.preset, lambda source: write(with_network(recipe, layers, size, source)))
