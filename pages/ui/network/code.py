"""The network as PyTorch code, always in step with the blocks."""

from __future__ import annotations

from typing import Any

import streamlit as st

from cnn_core.export.pytorch import network_code, training_code
from cnn_core.models.layer import Shape
from cnn_core.recipe import Recipe
from pages.ui.address import query
from pages.ui.data import datasets

WHAT = {"network": "The network", "training": "With the training"}


def show(recipe: Recipe, shape: Shape, classes: int) -> None:
    """`recipe` has its layers written out. Raises PlaygroundError."""
    shown: Any = {"format_func": WHAT.__getitem__, "label_visibility": "collapsed"}
    what = query.choose(st.segmented_control, "Code of", list(WHAT), name="code", **shown)
    if what == "network":
        source = network_code(recipe.network.layers, shape, classes)
        st.caption("It takes normalised images. The button at the corner copies it.")
    else:
        dataset = datasets.of_recipe(recipe)
        source = training_code(recipe, shape, classes, tuple(dataset.mean), tuple(dataset.std))
        st.caption("A script on its own. torchvision's augmentations draw otherwise, so the numbers are not equal.")
    st.code(source, language="python", line_numbers=False)
    st.download_button(
        "Download",
        data=source,
        file_name=f"{what}.py",
        mime="text/x-python",
        icon=":material/download:",
        on_click="ignore",
    )
