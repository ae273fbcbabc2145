"""File widgets whose files go to the disk as soon as they arrive and leave the server's memory."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile


def key(name: str) -> str:
    """The key of a file widget; another one after each `release`, so that the widget is drawn empty."""
    turn = st.session_state.get(f"turn:{name}", 0)
    return f"{name}:{turn}" if turn else name


def release(name: str, files: Sequence[UploadedFile]) -> None:
    """Forget the files of the widget called `name`, and draw it empty from the next run on."""
    st.session_state[f"turn:{name}"] = st.session_state.get(f"turn:{name}", 0) + 1
    forget(files)


def forget(files: Sequence[UploadedFile]) -> None:
    """Take files out of the server's memory; Streamlit keeps them while the session lives (its issue 9218)."""
    context = get_script_run_ctx()
    if context and isinstance(manager := context.uploaded_file_mgr, MemoryUploadedFileManager):
        for file in files:
            manager.remove_file(context.session_id, file.file_id)
            file.close()


def visitor() -> str:
    """Who brings files: a session of the browser."""
    context = get_script_run_ctx()
    return context.session_id if context else ""
