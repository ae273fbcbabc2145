"""The trays of the page, one for each way in which images arrive, so that none is lost when another way is chosen.

The address names the one on show and the others; the session keeps them for a visit to another page.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cnn_core.data.incoming.tray import Tray
from cnn_core.errors import PlaygroundError
from pages.ui.address import query
from pages.ui.bring import spool
from pages.ui.frame.errors import show_error

SHOWN, OTHERS = "tray", "others"  # in the address; tokens with commas between
KEPT = "bring:trays"


def on_show() -> Tray | None:
    """The tray of the address; one that is gone is answered with a sentence."""
    if not query.asked(SHOWN) and not query.asked(OTHERS):
        query.put(**st.session_state.get(KEPT, {}))
    tray = _opened(query.asked(SHOWN))
    _put(tray.token if tray else "", query.asked(OTHERS))
    return tray


def for_way(shown: Tray | None, way: str) -> Tray | None:
    """The tray of a way, which is on show from now on; the one that was waits. None while the way has none."""
    if shown and shown.way == way:
        return shown
    waiting = [tray for token in query.asked(OTHERS).split(",") if (tray := _opened(token))]
    found = next((tray for tray in waiting if tray.way == way), None)
    waiting = [tray for tray in [*waiting, shown] if tray and tray is not found]
    _put(found.token if found else "", ",".join(tray.token for tray in waiting))
    return found


def show(tray: Tray | None) -> None:
    """Put a tray in the place of the one on show; None leaves it empty."""
    _put(tray.token if tray else "", query.asked(OTHERS))


def new(way: str) -> Tray:
    """A new tray on show."""
    tray = Tray.new(way, spool.visitor())
    show(tray)
    return tray


def forget(trays: Sequence[Tray]) -> None:
    """Clear trays away."""
    for tray in trays:
        tray.clear()
    gone = {tray.token for tray in trays}
    shown = query.asked(SHOWN)
    others = [token for token in query.asked(OTHERS).split(",") if token not in gone]
    _put("" if shown in gone else shown, ",".join(others))


def _opened(token: str) -> Tray | None:
    try:
        return Tray(token) if token else None
    except PlaygroundError as error:
        show_error(error)
        return None


def _put(shown: str, others: str) -> None:
    st.session_state[KEPT] = {SHOWN: shown, OTHERS: others}
    query.put(**st.session_state[KEPT])
