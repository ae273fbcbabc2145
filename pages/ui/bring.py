"""Bringing pictures: how they arrive, what was found in them, the choices, and the import under way."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from cnn_core.data.decoding.formats import NAMES
from cnn_core.data.incoming.layout import Layout
from cnn_core.data.incoming.tray import Tray
from cnn_core.errors import PlaygroundError
from cnn_core.jobs.imports import cancel_import, import_state
from cnn_core.settings import settings
from pages.ui import address, by_hand, folder_upload, spool, words
from pages.ui.errors import plain, say, spoken

WAYS = {"archive": "Zip or tar", "folder": "Folder", "by_hand": "Class by class", "server": "On the server"}
FULL = "bring:full"  # why the last upload was not taken
ARCHIVES = ["zip", "tar", "gz", "tgz", "bz2", "xz"]


def tray_on_show() -> Tray | None:
    """The tray of the address; one that is gone is answered with a sentence."""
    token = address.asked("tray")
    if not token:
        return None
    try:
        return Tray(token)
    except PlaygroundError as error:
        say(error)
        address.put(tray=None)
        return None


def _new(way: str) -> Tray:
    """A new tray that the address names from now on."""
    tray = Tray.new(way, spool.visitor())
    address.put(tray=tray.token)
    return tray


# How they arrive


def collect(tray: Tray | None) -> Tray | None:
    """The ways in which pictures come; returns the tray they lie on, None while there are none."""
    ways = [way for way in WAYS if way != "server" or settings().import_folders]
    way = address.choose(
        st.segmented_control, "From", ways, name="from", format_func=WAYS.get, label_visibility="collapsed",
        default=tray.way if tray and tray.way in ways else ways[0],
    )  # fmt: skip
    if tray and tray.way != way:  # it waits there; pictures of two ways do not mix
        tray = None
    with spoken():
        if way == "archive":
            return _archive(tray)
        if way == "folder":
            return _folder(tray)
        if way == "server":
            return _server_folder(tray)
        return by_hand.classes(tray or _new(way))
    return tray


def _archive(tray: Tray | None) -> Tray | None:
    file = st.file_uploader("A zip or tar with one folder a class", type=ARCHIVES, key=spool.key("archive"))
    with st.expander("The classes are in a table instead", icon=":material/table:"):
        table = st.file_uploader("A table (CSV) of file names and labels", type=["csv", "tsv", "txt"], key="labels")
    if file:
        _lay("archive", "archive", file)
    if tray and table and _is_new(f"{tray.token}:{table.file_id}", "labels"):
        tray.put_labels(table.getvalue())
    if tray and not table and st.session_state.pop("bring:labels", None):
        tray.put_labels(None)
    return _arrived(tray)


def _folder(tray: Tray | None) -> Tray | None:
    if file := folder_upload.folder_upload():
        _lay("folder", folder_upload.NAME, file)
    return _arrived(tray)


def _lay(way: str, widget: str, file: UploadedFile) -> None:
    """Put an archive on a tray's disk and out of the server's memory, and draw the page anew."""
    tray = Tray.new(way, spool.visitor())
    try:
        tray.put_archive(file.name, file.getbuffer())
        address.put(tray=tray.token)
        st.session_state.pop(FULL, None)
    except PlaygroundError as error:
        tray.clear()
        st.session_state[FULL] = str(error)
    spool.release(widget, [file])
    st.rerun()


def _arrived(tray: Tray | None) -> Tray | None:
    """What lies here in a line, for the widget is empty again; and why the last upload does not."""
    if problem := st.session_state.get(FULL):
        say(problem)
        if st.button("Remove what waits", icon=":material/delete:", key="remove-waiting"):
            del st.session_state[FULL]
            for waiting in Tray.waiting(spool.visitor()):
                if not ((state := import_state(waiting)) and state.busy):
                    waiting.clear()
            address.put(tray=None)
            st.rerun()
    if tray and tray.title:
        st.caption(plain(f"{tray.title} is here, {tray.size / 1e6:,.1f} MB. Another one takes its place."))
    return tray


def _server_folder(tray: Tray | None) -> Tray | None:
    allowed = ", ".join(map(str, settings().import_folders))
    path = st.text_input("Folder on the server", help=f"Inside of: {plain(allowed)}", key="server-folder")
    if path and _is_new(path, "server"):
        tray = _new("server")
        tray.put_folder(path)
    return tray


def _is_new(what: str, kind: str) -> bool:
    """Whether this upload has not been laid on a tray yet: a widget hands it out at every run."""
    key = f"bring:{kind}"
    if st.session_state.get(key) == what:
        return False
    st.session_state[key] = what
    return True


def explain() -> None:
    """What is expected, and the limits."""
    limits = settings()
    if address.asked("from") == "by_hand":
        st.caption("Two classes or more. Ten pictures of each are a start, fifty are better.")
    else:
        st.code("pictures.zip\n├─ cats\n│  ├─ 1.jpg\n│  └─ 2.png\n└─ dogs\n   └─ 3.jpg", language=None)
        st.caption("Folders whose names hold train, val or test, as in seg_train, are kept as splits.")
    st.caption(
        f"At most {limits.import_files:,} files, {limits.import_megabytes:,} MB unpacked, {limits.import_classes:,} "
        f"classes; {limits.upload_megabytes} MB and {limits.upload_megapixels} million pixels a picture; "
        f"{limits.visitor_megabytes:,} MB that wait for an import of yours. {NAMES} files. "
        "Whoever runs this server sets these limits."
    )


# The look and what is under way


def look(tray: Tray) -> Layout | None:
    """The classes found in a tray; None after saying what is wrong with it."""
    if not tray.stamp or (not tray.slips and not tray.title):
        return None
    with spoken(), st.spinner("Looking through the pictures …"):
        return _layout(tray.token, tray.stamp)
    return None


@st.cache_data(max_entries=8, show_spinner=False)
def _layout(token: str, stamp: str) -> Layout:
    tray = Tray(token)
    return tray.layout(tray.files())


def watch(tray: Tray) -> None:
    """Progress, the time left, and a way to stop."""
    if st.button("Cancel", icon=":material/cancel:", key="cancel-import"):
        cancel_import(tray)
    st.fragment(_progress, run_every=1.0)(tray.token)


def _progress(token: str) -> None:
    with spoken():
        state = import_state(Tray(token))
        if state is None or not state.busy:
            st.rerun()
        if state.progress is None:
            st.progress(0.0, "Starting …")
            return
        done, total = state.progress.done, state.progress.total
        left = f", {words.duration(state.seconds_left)} left" if state.seconds_left else ""
        st.progress(min(1.0, done / max(total, 1)), f"{done:,.0f} of {total:,.0f} pictures{left}")


def another(done: Tray | None) -> None:
    """Away from a report; what lay on the tray of a finished import is in its data set now."""
    if st.button("Bring more", icon=":material/add:", key="another-import"):
        if done:
            done.clear()
            for way in ("labels", "server", "full"):
                st.session_state.pop(f"bring:{way}", None)
            address.put(tray=None)
        address.put(report=None)
        st.rerun()
