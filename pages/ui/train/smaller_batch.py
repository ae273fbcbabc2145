"""A run whose memory ran out: the same recipe with half the batch, one click away."""

from __future__ import annotations

import streamlit as st

from cnn_core.runs.tables import Run
from pages.ui.address.recipe import recipe_of, replace, write


def offer(run: Run) -> None:
    """A button that puts the smaller recipe into the form; nothing under other runs."""
    if not (run.was_too_large and run.known_recipe and run.known_recipe.training.batch_size > 1):
        return
    half = run.known_recipe.training.batch_size // 2
    label = f"Try with batches of {half}"
    note = f"A new run with the same choices, but {half} images in a step: about half the memory."
    if st.button(label, icon=":material/compress:", help=note, key=f"smaller:{run.id}", width="stretch"):
        write(replace(recipe_of(run), "training.batch_size", half))
        st.rerun()
