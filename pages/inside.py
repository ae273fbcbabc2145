"""Inside: a network at work on one image, at any kept epoch, and why it answers so."""

import streamlit as st

from cnn_core.errors import PlaygroundError
from pages.ui.data import datasets
from pages.ui.frame import layout
from pages.ui.frame.errors import show_error
from pages.ui.inside import view
from pages.ui.runs.choosing import WITH_WEIGHTS, pick_run, require_runs

layout.title(
    "Inside", "Your network at work on one image. Point at a map to see what feeds it; click it for its arithmetic."
)
runs = require_runs(WITH_WEIGHTS)
left, above = st.columns([1, 2.6], vertical_alignment="bottom")
with left:
    run = pick_run(runs)
dataset = None
try:
    dataset = datasets.of_run(run)
except PlaygroundError as error:
    show_error(error)
view.show(run, dataset, above)
