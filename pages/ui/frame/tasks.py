"""Background work on a page: how far it is, how long it still takes, and a way to cancel it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from cnn_core.data.catalogue.library import Progress
from cnn_core.jobs.tasks.task import Task
from pages.ui.frame import words
from pages.ui.frame.errors import errors_shown

EVERY = 1.0  # seconds between two looks


def watch(task: Task[Any]) -> None:
    """A bar that moves until the task has ended; then the page is drawn anew."""
    st.fragment(_watch, run_every=EVERY)(task)


def _watch(task: Task[Any]) -> None:
    with errors_shown():
        state = task.state()
        if state is None or not state.busy:
            st.rerun()
        with st.container(horizontal=True, vertical_alignment="center"):
            if state.cancelled:
                st.progress(0.0, "Cancelling …")
            elif state.ahead:
                st.progress(0.0, f"Waiting for its turn, {words.count(state.ahead, 'task')} before it …")
            else:
                bar(state.progress, state.seconds_left)
            st.button(
                "Cancel",
                icon=":material/cancel:",
                key=f"cancel-{task.id}",
                disabled=state.cancelled,
                on_click=task.cancel,
                help="Ends it for everybody who waits for it.",
            )


def bar(progress: Progress | None, seconds_left: float | None = None) -> None:
    """None while it starts."""
    if progress is None:
        st.progress(0.0, "Starting …")
        return
    left = f", {words.duration(seconds_left)} left" if seconds_left else ""
    text = f"{progress.stage.capitalize()}: {progress.done:,.0f} of {progress.total:,.0f} {progress.unit}{left}"
    st.progress(min(1.0, progress.done / max(progress.total, 1)), text)
