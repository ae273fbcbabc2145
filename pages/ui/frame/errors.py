"""The one way in which a page tells a person what went wrong, and shows what strangers wrote."""

from __future__ import annotations

import logging
import re
import string
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

import streamlit as st

from cnn_core.errors import PlaygroundError
from cnn_core.explain import explain

# What markdown and Streamlit still act on after a backslash: links (www., https://, a@b), icons and emoji (:name:), and
# arrows and dashes (->, <=, --). A word joiner inside of it ends that: it has no width, allows no line break and is
# ignored where text is compared by eye or read aloud. An HTML entity would not help: it is decoded before they look.
WORD_JOINER = "\u2060"
TRIGGER = re.compile(r":(?=\S)|@(?=\S)|[<>~=-](?=[<>=-])|www(?=\.)", re.IGNORECASE)
PUNCTUATION = re.compile(f"([{re.escape(string.punctuation)}])")


def plain(text: str) -> str:
    """Text that markdown shows letter for letter, on one line: names and messages may hold a stranger's words.

    For everything that reads markdown: labels of widgets, options of buttons, captions, help texts, messages. Select
    boxes, tables and ECharts read none and take the text as it is; Plotly takes `plotly_text`, HTML `html.escape`.
    """
    broken = TRIGGER.sub(lambda found: found[0] + WORD_JOINER, " ".join(text.split()))
    return PUNCTUATION.sub(r"\\\1", broken)


def plotly_text(text: str) -> str:
    """Text that Plotly shows letter for letter: it reads tags, and dollar signs as formulas."""
    return escape(text, quote=False).replace("$", f"${WORD_JOINER}")


def show_error(error: PlaygroundError | str) -> None:
    """Show one sentence as an error."""
    st.error(plain(str(error)), icon=":material/error:")


@contextmanager
def errors_shown() -> Iterator[None]:
    """Within it an error that has a sentence ends the block and is shown; anything else is a fault of ours and goes on.

    Also a decorator, for fragments: Streamlit runs them again without what is around them.
    """
    try:
        yield
    except Exception as error:
        known = explain(error)
        if known is None:
            raise
        if known is not error:
            logging.getLogger(__name__).warning("Shown as a sentence", exc_info=error)
        show_error(known)


@contextmanager
def needed() -> Iterator[None]:
    """As `errors_shown`, for what the rest of the page cannot do without: after the sentence the page ends."""
    done = False
    with errors_shown():
        yield
        done = True
    if not done:
        st.stop()
