"""Network: shape what learns, see the image flow through it, be told what is wrong with it."""

from functools import partial

import streamlit as st

from cnn_core.data.catalogue.registry import dataset_sources
from cnn_core.models.doctor import examine
from cnn_core.models.presets import layers_of, title_of
from cnn_core.models.tree import Path
from cnn_core.planning.recipe import check, input_of
from pages.ui.address import query
from pages.ui.address.recipe import query_of
from pages.ui.data import datasets
from pages.ui.frame import layout
from pages.ui.frame.errors import errors_shown, plain
from pages.ui.frame.images import data_uri, pixels
from pages.ui.inside import small
from pages.ui.network import carried, changes, code, costs, editor, findings, parameters
from pages.ui.network.blocks import Drawn

VIEWS = {"flow": "Image flows through", "table": "Table", "code": "As PyTorch"}

layout.title("Network", "Shape what learns. The image flows through it, with random weights until you train it.")
recipe = carried.recipe()
layers, (shape, classes) = layers_of(recipe.network), input_of(recipe)
found = examine(layers, shape, classes, recipe.training.batch_size)
works = not any(finding.severity == "error" for finding in found)
change = partial(changes.change, recipe)

with st.container(horizontal=True, vertical_alignment="center", key="network-head"):
    data = dataset_sources.get(recipe.data.dataset).title
    st.markdown(f"**{plain(title_of(recipe.network))}** on {plain(data)}, {shape[1]} × {shape[2]} px")
    st.space("stretch")
    carried.starting_points(recipe, layers)
    if st.button("Train it", icon=":material/play_arrow:", type="primary", disabled=not works):
        st.switch_page("pages/train.py", query_params=query_of(recipe))

tiles: dict[Path, str] = {}
blocks, panel = st.columns([0.76, 0.24], gap="medium")
with blocks, errors_shown():
    dataset = datasets.of_recipe(recipe)
    tiles[()] = data_uri(pixels(dataset.images[int(dataset.splits["test"][0])]), fast=True)
    with st.spinner("Computing the first image…", show_time=True):  # torch is loaded once for a server
        from pages.ui.network.tiles import fitting
        from pages.ui.network.tiles import tiles as tiles_of

        fits = fitting(layers, found, shape, classes)
        made = tiles_of(recipe, fits, dataset)
        tiles |= {path: tile for path, tile in made.items() if works or path[0] < len(fits) - 2}

drawn = Drawn(layers, shape, classes, found, tiles)
with blocks, st.container(border=True, key="network-editor-card"):
    editor.show(drawn, change, partial(changes.undo, recipe), partial(changes.redo, recipe), changes.can())
    editor.said()
with panel, st.container(border=True, key="network-layer"):
    chosen = editor.selected(layers)
    if chosen is not None:
        parameters.show(layers, chosen, change)
    else:
        st.markdown("**Select a layer** to change it. Shift+click selects several, to repeat or to branch them.")
    costs.totals_card(layers, shape, classes, works)

resize = partial(change, layers)
findings.show(found, layers, (shape, classes), change, resize, partial(editor.select))
view = query.choose(
    st.segmented_control,
    "Look at",
    list(VIEWS),
    name="view",
    format_func=VIEWS.__getitem__,
    label_visibility="collapsed",
)
if works:
    with errors_shown():
        written = check(recipe)
        if view == "flow":
            small.fresh(written)
        elif view == "table":
            costs.show(layers, shape, classes, recipe.training.batch_size)
        else:
            code.show(written, shape, classes)
else:
    st.caption("The image flows again once every layer fits.")
