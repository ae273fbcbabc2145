"""The uploads of the page, one for each way in which images arrive, so that none is lost when another way is chosen.

The address names the one on show and the others; the session keeps them for a visit to another page.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cnn_core.data.incoming.upload import Upload
from cnn_core.errors import PlaygroundError
from pages.ui.address import query
from pages.ui.frame import spool
from pages.ui.frame.errors import show_error

SHOWN, OTHERS = "upload", "others"  # in the address; tokens with commas between
KEPT = "bring:uploads"


def on_show() -> Upload | None:
    """The upload of the address; one that is gone is answered with a sentence."""
    if not query.asked(SHOWN) and not query.asked(OTHERS):
        query.put(**st.session_state.get(KEPT, {}))
    upload = _opened(query.asked(SHOWN))
    _put(upload.token if upload else "", query.asked(OTHERS))
    return upload


def for_way(shown: Upload | None, way: str) -> Upload | None:
    """The upload of a way, which is on show from now on; the one that was waits. None while the way has none."""
    if shown and shown.way == way:
        return shown
    waiting = [upload for token in query.asked(OTHERS).split(",") if (upload := _opened(token))]
    found = next((upload for upload in waiting if upload.way == way), None)
    waiting = [upload for upload in [*waiting, shown] if upload and upload is not found]
    _put(found.token if found else "", ",".join(upload.token for upload in waiting))
    return found


def show(upload: Upload | None) -> None:
    """Put an upload in the place of the one on show; None leaves it empty."""
    _put(upload.token if upload else "", query.asked(OTHERS))


def new(way: str) -> Upload:
    """A new upload on show."""
    upload = Upload.new(way, spool.visitor())
    show(upload)
    return upload


def forget(uploads: Sequence[Upload]) -> None:
    """Clear uploads away."""
    for upload in uploads:
        upload.clear()
    gone = {upload.token for upload in uploads}
    shown = query.asked(SHOWN)
    others = [token for token in query.asked(OTHERS).split(",") if token not in gone]
    _put("" if shown in gone else shown, ",".join(others))


def _opened(token: str) -> Upload | None:
    try:
        return Upload(token) if token else None
    except PlaygroundError as error:
        show_error(error)
        return None


def _put(shown: str, others: str) -> None:
    st.session_state[KEPT] = {SHOWN: shown, OTHERS: others}
    query.put(**st.session_state[KEPT])
