"""Home: what this is, a first experiment in one click, and the latest runs."""

import streamlit as st

from cnn_core.errors import PlaygroundError
from cnn_core.jobs.queue import submit
from cnn_core.planning.recipe import starting_recipe
from cnn_core.runs.store import store
from pages.ui.frame import layout
from pages.ui.frame.errors import show_error
from pages.ui.inside import small
from pages.ui.runs import choosing
from pages.ui.train import live


def first_experiment() -> None:
    """Start the recommended run and open it."""
    try:
        run_id = submit(starting_recipe())
    except PlaygroundError as error:
        show_error(error)
        return
    live.expect(run_id)
    st.switch_page("pages/train.py", query_params={"run": run_id})


layout.title("See a network learn", "Pick images, press Train, watch it learn, look inside, try an image of your own.")
words, button = st.columns([3, 2], gap="large", vertical_alignment="center")
with words:
    st.markdown(
        "A **convolutional network** learns what small patterns look like, and which of them make a *sneaker* or a "
        "*coat*. It starts from random numbers. In a minute you can watch it learn them."
    )
with button:
    if st.button("Run the first experiment", icon=":material/play_arrow:", type="primary", width="stretch"):
        first_experiment()
    st.caption("12,000 images of clothing, a small residual network, about half a minute on two processor cores.")
latest = store().runs(limit=6)
small.show(next((run for run in latest if run.best_epoch and run.known_recipe), None))

steps = {
    "data": ("Data", ":material/photo_library:", "How many images of each kind, and the numbers they are made of."),
    "train": ("Train", ":material/play_circle:", "Choose a network and its training. Pause, resume, change the rate."),
    "evaluate": (
        "Evaluate",
        ":material/fact_check:",
        "Which classes it confuses, and the images behind each number.",
    ),
    "inside": ("Inside", ":material/layers:", "The network at work on an image, from the first epoch to the last."),
    "classify": ("Classify", ":material/image_search:", "Classify an image of your own."),
}
grid = st.grid(5, min_column_width=170, border=True)
for page, (name, icon, sentence) in steps.items():
    with grid.cell():
        st.page_link(f"pages/{page}.py", label=f"**{name}**", icon=icon)
        st.caption(sentence)

choosing.watch()
if latest:
    st.markdown("#### Latest runs")
    cards = st.grid(3, min_column_width=260, border=True)
    for run in latest:
        with cards.cell():
            choosing.card(run)
