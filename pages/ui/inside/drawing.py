"""A small canvas to draw an image for the network on."""

from __future__ import annotations

import base64
from pathlib import Path

import streamlit as st
from PIL import Image

from cnn_core.data.decode import decode
from cnn_core.errors import ImageError
from pages.ui.frame.errors import show_error

SIDE = 280  # pixels of the drawing
MOST = 400_000  # characters: of a drawing of that size far fewer
PREFIX = "data:image/png;base64,"
HERE = Path(__file__)

_canvas = st.components.v2.component(
    "drawing", css=HERE.with_suffix(".css").read_text("utf-8"), js=HERE.with_suffix(".js").read_text("utf-8")
)


def drawing(dark: bool) -> Image.Image | None:
    """The canvas, and what is drawn on it; None while it is empty. `dark`: light strokes on black, as most data sets of
    small images have it, else dark ones on white. It comes from a browser, so it is read as an upload is."""
    state = _canvas(key="drawing", data={"side": SIDE, "dark": dark}, on_png_change=lambda: None)
    text = getattr(state, "png", None)
    if not isinstance(text, str) or not text.startswith(PREFIX) or len(text) > MOST:
        return None
    try:
        return decode(base64.b64decode(text.removeprefix(PREFIX), validate=True), "drawing.png")
    except (ImageError, ValueError):
        show_error("The drawing could not be read. Press Clear and draw again.")
        return None
