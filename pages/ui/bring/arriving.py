"""Bringing images: how they arrive, what was found in them, the choices, and the import under way."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from cnn_core.data.decoding.formats import NAMES
from cnn_core.data.incoming.labels.layout import Layout
from cnn_core.data.incoming.upload import Upload
from cnn_core.errors import PlaygroundError
from cnn_core.jobs.tasks.import_images import import_of
from cnn_core.settings import settings
from pages.ui.address import query
from pages.ui.bring import by_hand, folder_upload, uploads
from pages.ui.frame import spool, words
from pages.ui.frame.errors import errors_shown, plain, show_error

WAYS = {"archive": "Zip or tar", "folder": "Folder", "by_hand": "Class by class", "server": "On the server"}
FULL = "bring:full"  # why the last file was not taken
ARCHIVES = ["zip", "tar", "gz", "tgz", "bz2", "xz"]

# How they arrive


def collect(upload: Upload | None) -> Upload | None:
    """The ways in which images come; returns the upload that holds them, None while there are none."""
    ways = [way for way in WAYS if way != "server" or settings().import_folders]
    way = query.choose(
        st.segmented_control,
        "From",
        ways,
        name="from",
        format_func=WAYS.get,
        label_visibility="collapsed",
        default=upload.way if upload and upload.way in ways else ways[0],
    )
    upload = uploads.for_way(upload, way)  # images of two ways do not mix
    with errors_shown():
        if way == "archive":
            return _archive(upload)
        if way == "folder":
            return _folder(upload)
        if way == "server":
            return _server_folder(upload)
        return by_hand.classes(upload or uploads.new(way))
    return upload


def _archive(upload: Upload | None) -> Upload | None:
    file = st.file_uploader("A zip or tar with one folder a class", type=ARCHIVES, key=spool.key("archive"))
    with st.expander("The classes are in a table instead", icon=":material/table:"):
        title, types = "A table (CSV) of file names and labels", ["csv", "tsv", "txt"]
        table = st.file_uploader(title, type=types, key=spool.key("labels"))
        if upload and upload.has_labels and st.button("Remove the table", icon=":material/delete:", key="remove-table"):
            upload.put_labels(None)
            st.rerun()
    if file:
        _lay("archive", "archive", file, upload)
    if upload and table:
        upload.put_labels(table.getvalue())
        spool.release("labels", [table])
        st.rerun()
    return _arrived(upload)


def _folder(upload: Upload | None) -> Upload | None:
    if file := folder_upload.folder_upload():
        _lay("folder", folder_upload.NAME, file, upload)
    return _arrived(upload)


def _lay(way: str, widget: str, file: UploadedFile, before: Upload | None) -> None:
    """Move an archive to an upload's folder, out of the server's memory, and draw the page anew. A label table stays
    for the archive that takes the place of the one before."""
    upload = Upload.new(way, spool.visitor())
    try:
        upload.put_archive(file.name, file.getbuffer())
        if before and before.labels:
            upload.put_labels(before.labels)
        uploads.show(upload)
        st.session_state.pop(FULL, None)
    except PlaygroundError as error:
        upload.clear()
        st.session_state[FULL] = str(error)
    spool.release(widget, [file])
    st.rerun()


def _arrived(upload: Upload | None) -> Upload | None:
    """What the upload holds, in a line, for the widget is empty again; and why the last file was not taken."""
    if problem := st.session_state.get(FULL):
        show_error(problem)
        if st.button("Remove uploaded files", icon=":material/delete:", key="remove-waiting"):
            del st.session_state[FULL]
            waiting = Upload.waiting(spool.visitor())
            uploads.forget([upload for upload in waiting if not ((state := import_of(upload).state()) and state.busy)])
            st.rerun()
    if upload and upload.title:
        st.caption(plain(f"{upload.title} is here, {words.size(upload.size)}. Another one takes its place."))
    return upload


def _server_folder(upload: Upload | None) -> Upload | None:
    allowed = ", ".join(map(str, settings().import_folders))
    path = st.text_input("Folder on the server", help=f"Inside of: {plain(allowed)}", key="server-folder")
    if path and _is_new(path, "server"):
        chosen = Upload.new("server", spool.visitor())
        try:
            chosen.put_folder(path)
        except PlaygroundError:
            chosen.clear()
            raise
        uploads.show(upload := chosen)
    return upload


def _is_new(what: str, kind: str) -> bool:
    """Whether this file has not been added to an upload yet: a widget hands it out at every run."""
    key = f"bring:{kind}"
    if st.session_state.get(key) == what:
        return False
    st.session_state[key] = what
    return True


def explain() -> None:
    """What is expected, and the limits."""
    limits = settings()
    if query.asked("from") == "by_hand":
        st.caption("Two classes or more. Ten images of each are a start, fifty are better.")
    else:
        st.code("images.zip\n├─ cats\n│  ├─ 1.jpg\n│  └─ 2.png\n└─ dogs\n   └─ 3.jpg", language=None)
        st.caption("Folders whose names hold train, val or test, as in seg_train, are kept as splits.")
    st.caption(
        f"At most {limits.import_files:,} files, {limits.import_megabytes:,} MB unpacked, {limits.import_classes:,} "
        f"classes; {limits.upload_megabytes} MB and {limits.upload_megapixels} million pixels an image. "
        f"{NAMES} files. "
        f"You may upload {limits.visitor_megabytes:,} MB before an import. "
        "The operator of this server sets these limits."
    )


# The look and what is under way


def look(upload: Upload) -> Layout | None:
    """The classes found in an upload; None after saying what is wrong with it."""
    if not upload.stamp or (not upload.received and not upload.title):
        return None
    with errors_shown(), st.spinner("Checking the images …"):
        return _layout(upload.token, upload.stamp)
    return None


@st.cache_data(max_entries=8, show_spinner=False)
def _layout(token: str, stamp: str) -> Layout:
    upload = Upload(token)
    return upload.layout(upload.files())


def another(done: Upload | None) -> None:
    """Away from a report; the images of a finished import are in its data set now."""
    if st.button("Bring more", icon=":material/add:", key="another-import"):
        if done:
            uploads.forget([done])
            for way in ("server", "full"):
                st.session_state.pop(f"bring:{way}", None)
        query.put(report=None)
        st.rerun()
