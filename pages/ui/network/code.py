"""The network as PyTorch code."""

from __future__ import annotations

import streamlit as st

from cnn_core.models.layer import Shape
from cnn_core.models.tree import Layers
from cnn_core.recipe import Recipe


def show(recipe: Recipe, layers: Layers, shape: Shape, classes: int) -> None:
    st.caption("soon")
