"""Who sits in front of the page: a name as they type it, which no password stands for."""

from __future__ import annotations

import streamlit as st

NAME = "person's name"  # in the session
LONGEST = 64  # characters


def name_input(key: str) -> str:
    """A field for the name, filled with what was typed last in this session of the browser."""
    st.session_state.setdefault(key, st.session_state.get(NAME, ""))
    return st.text_input(
        "Your name",
        key=key,
        max_chars=LONGEST,
        placeholder="somebody",
        help="Shown to everybody on this installation; may be empty.",
    )


def remember(name: str) -> None:
    """For the rest of this session."""
    st.session_state[NAME] = name
