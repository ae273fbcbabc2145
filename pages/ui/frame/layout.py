"""The frame every page shares."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui.frame.images import svg_uri

HERE = Path(__file__).parent
LOGO = HERE / "logo.svg"


_framed = False  # whether app.py has run in this server


def frame() -> None:
    """What app.py draws around every page: the few rules of style that a theme cannot state."""
    global _framed
    _framed = True
    st.html(HERE / "style.css")
    st.logo(str(LOGO), size="large")


def title(text: str, sentence: str, one_row: bool = False) -> None:
    """A page's heading and what one does here. `one_row`: side by side where there is room, for a page that is full."""
    if not _framed:
        _run_app()
    with st.container(horizontal=one_row, vertical_alignment="center", key="title-row" if one_row else None):
        st.markdown(f"## {text}", width="content" if one_row else "stretch")
        st.caption(sentence, width="content" if one_row else "stretch")


def _run_app() -> None:
    """Until app.py has run once, Streamlit opens a link to a page without it, by the name of the file: no workers,
    no menu. Calling st.navigation ends that for the whole server; the rerun goes through app.py."""
    pages = [st.Page(path, default=path.stem == "home") for path in HERE.parents[1].glob("*.py")]
    st.navigation(pages, position="hidden")
    st.rerun()


def beside(share: float = 0.25) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Results, and a column of controls with its share of the width; on a phone the results come first."""
    results, controls = st.columns([1 - share, share], gap="medium")
    return results, controls


def card(heading: str, note: str = "", key: str | None = None) -> DeltaGenerator:
    """A bordered box with a bold one-line heading; use it in a `with`."""
    box = st.container(border=True, key=key)
    box.markdown(f"**{heading}**", help=note or None)
    return box


def go(page: str, text: str, icon: str, primary: bool = False, **query: str) -> None:
    """A button that opens another page with query parameters."""
    if st.button(text, icon=icon, key=f"go:{page}:{text}", type="primary" if primary else "secondary", width="stretch"):
        st.switch_page(f"pages/{page}.py", query_params=query)


def links(items: Mapping[str, tuple[str, str]], **query: str) -> None:
    """Links to pages side by side: page -> (text, icon)."""
    with st.container(horizontal=True):
        for page, (text, icon) in items.items():
            st.page_link(f"pages/{page}.py", label=text, icon=icon, query_params=query or None)


def nothing_yet(sentence: str) -> None:
    """A page without anything to show: an image, one sentence and the way on."""
    with st.container(border=True, horizontal_alignment="center"):
        st.html(f'<img class="cnn-empty" alt="An image, feature maps and class scores" src="{svg_uri(EMPTY_IMAGE)}">')
        st.markdown(f"**{sentence}**", text_alignment="center")
        st.caption("The first one takes about a minute, and you can watch it learn.", text_alignment="center")
        st.page_link("pages/train.py", label="Train a network", icon=":material/play_circle:")


EMPTY_IMAGE = """
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 110">
  <g fill="none" stroke="#7C8AA0" stroke-width="2">
    <rect x="12" y="25" width="60" height="60" rx="4"/>
    <path d="M12 45h60M12 65h60M32 25v60M52 25v60" opacity=".35"/>
    <path d="M82 55h26m-7-6 7 6-7 6"/>
    <rect x="120" y="20" width="46" height="46" rx="4"/><rect x="130" y="30" width="46" height="46" rx="4"/>
    <rect x="140" y="40" width="46" height="46" rx="4"/>
    <path d="M198 55h26m-7-6 7 6-7 6"/>
  </g>
  <g><rect x="238" y="24" width="22" height="10" rx="3" fill="#64748B"/>
  <rect x="238" y="41" width="66" height="10" rx="3" fill="#2563EB"/>
  <rect x="238" y="58" width="14" height="10" rx="3" fill="#64748B"/>
  <rect x="238" y="75" width="32" height="10" rx="3" fill="#64748B"/>
  <rect x="32" y="45" width="20" height="20" fill="#2563EB" opacity=".85"/></g>
</svg>
"""
