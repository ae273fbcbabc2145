"""CNN Playground: `streamlit run app.py`."""

import streamlit as st

from cnn_core.jobs.executors.local_pool import LocalPool, start_workers
from pages.ui.frame import layout
from pages.ui.frame.errors import errors_shown

st.set_page_config("CNN Playground", page_icon=str(layout.LOGO), layout="wide", initial_sidebar_state=230)


@st.cache_resource(max_entries=1, show_spinner=False)
def workers() -> LocalPool:
    """The training processes, shared by all visitors."""
    return start_workers()


page = st.navigation(
    {
        "": [st.Page("pages/home.py", title="Home", icon=":material/home:", default=True)],
        "Data": [
            st.Page("pages/data.py", title="Data", icon=":material/photo_library:"),
            st.Page("pages/bring.py", title="Your images", icon=":material/add_photo_alternate:"),
            st.Page("pages/augmentation.py", title="Augment", icon=":material/auto_fix_high:"),
        ],
        "Network": [st.Page("pages/network.py", title="Network", icon=":material/account_tree:")],
        "Train": [
            st.Page("pages/train.py", title="Train", icon=":material/play_circle:"),
            st.Page("pages/runs.py", title="Runs", icon=":material/stacked_line_chart:"),
        ],
        "Understand": [
            st.Page("pages/evaluate.py", title="Evaluate", icon=":material/fact_check:"),
            st.Page("pages/inside.py", title="Inside", icon=":material/layers:"),
            st.Page("pages/classify.py", title="Classify", icon=":material/image_search:"),
        ],
    }
)
with errors_shown():
    layout.frame()
    try:
        page.run()
    finally:
        workers()  # after the page: torch, loading in the workers, would take a second from the first image
