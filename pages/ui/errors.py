"""The one way in which a page tells a person what went wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from cnn_core.errors import PlaygroundError


def plain(text: str) -> str:
    """Text that markdown shows letter for letter: names and messages may hold a stranger's words."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~$:^=-])", r"\\\1", text)


def say(error: PlaygroundError | str) -> None:
    """Show one sentence as an error."""
    st.error(plain(str(error)), icon=":material/error:")


@contextmanager
def spoken() -> Iterator[None]:
    """Within it a PlaygroundError ends the block and is shown; anything else is a fault of ours and goes on."""
    try:
        yield
    except PlaygroundError as error:
        say(error)
