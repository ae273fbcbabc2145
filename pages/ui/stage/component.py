"""The stage as a component: drawn by the browser, fed by the server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from cnn_core.inspection.stage.packing import pack

HERE = Path(__file__).parent
PARTS = (
    "data",
    "layout",
    "draw",
    "labels",
    "health",
    "keys",
    "scores",
    "scrubber",
    "arithmetic",
    "figures",
    "bars",
    "panel",
    "steps",
    "stage",
    "mount",
)
STYLES = ("stage", "panel")

_stage = st.components.v2.component(
    "cnn_playground_stage",
    css="\n".join((HERE / f"{name}.css").read_text("utf-8") for name in STYLES),
    js="\n".join((HERE / f"{name}.js").read_text("utf-8") for name in PARTS),
)
_feed = st.components.v2.component("cnn_playground_feed", js=(HERE / "feed.js").read_text("utf-8"))


def mount(channel: str, compact: bool = False) -> None:
    """The stage itself, outside of any fragment: it stays in place however often it is fed.

    `channel`: a name that no other stage on the page has. `compact`: low, and without panel and scrubber.
    """
    _stage(key=f"stage:{channel}", data={"channel": channel, "compact": compact})


def asked(channel: str) -> dict[str, Any]:
    """What the stage asks for: `epoch`, `show` (the epoch on show), `open` [address, unit] or None, `blocks` (the
    residual blocks whose inside is shown), `key` of the payload it shows, `count`. Empty before the first request. It
    comes from a browser: check it."""
    state = st.session_state.get(f"feed:{channel}") or {}
    request = state.get("ask")
    return dict(request) if isinstance(request, Mapping) else {}


def feed(channel: str, payload: Mapping[str, Any] | None) -> None:
    """Hand a payload to the stage; inside the fragment that the stage's requests run again. None: the browser asks for
    it once the page is drawn, for a page that must not wait for torch."""
    if payload is not None:
        st.session_state[f"fed:{channel}"] = payload
    answers = {"channel": channel, "answers": asked(channel).get("count")}  # equal data would not reach the browser
    data = None if payload is None else pack(answers | dict(payload))
    _feed(key=f"feed:{channel}", data=data, on_ask_change=lambda: None)


def last(channel: str) -> Mapping[str, Any] | None:
    """What the stage was fed with last in this session."""
    found: Mapping[str, Any] | None = st.session_state.get(f"fed:{channel}")
    return found
