"""What the files of an import leave open: how names are encoded, and where the labels are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from cnn_core.data.incoming.archives.encoding import ENCODINGS
from cnn_core.data.incoming.contents import tables_inside
from cnn_core.data.incoming.upload import Upload
from cnn_core.errors import PlaygroundError
from pages.ui.frame.errors import plain

EXAMPLES = 3  # names


@dataclass(frozen=True)
class Open:
    """Choices that one look at the files found; those of one or none are not asked about."""

    encodings: tuple[str, ...] = ()  # the one in use first
    names: tuple[str, ...] = ()  # of folders and files, as they read in it
    tables: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    column: str = ""  # the likeliest


def questions(upload: Upload) -> None:
    """Boxes for what is open; a choice stays with the images."""
    left = _open(upload.token, upload.stamp)
    spec = upload.spec
    if len(left.encodings) > 1:
        _box(upload, "encoding", "Encoding of names", left.encodings, left.encodings[0], ENCODINGS.__getitem__)
        st.caption(plain(f"The zip does not state it. So read, there are names such as {', '.join(left.names)}."))
    if left.tables:
        _box(upload, "labels_inside", "Classes come from", ("", *left.tables), spec.labels_inside, _folders)
    if len(left.columns) > 1:
        _box(upload, "label_column", "Column with the label", left.columns, spec.label_column or left.column)


def _folders(table: str) -> str:
    return table or "Folders"


def _box(
    upload: Upload, name: str, title: str, options: Sequence[str], value: str, shown: Callable[[str], str] = str
) -> None:
    key = f"reading:{upload.token}:{name}"
    st.session_state[key] = value if value in options else None

    def choose() -> None:
        upload.choose(**{name: st.session_state[key]})

    st.selectbox(title, options, key=key, format_func=shown, on_change=choose, placeholder="Choose one")


@st.cache_data(max_entries=8, show_spinner=False)
def _open(token: str, stamp: str) -> Open:
    upload = Upload(token)
    columns: tuple[str, ...] = ()
    column = ""
    try:
        files = upload.files()
        tables = () if upload.classes or upload.has_labels else tuple(tables_inside(files))
        foreign = {part for entry in files.entries() for part in entry.path.split("/") if not part.isascii()}
        names = tuple(sorted(foreign, key=len)[:EXAMPLES]) if files.encodings() else ()
    except PlaygroundError:  # the look at the classes says it
        return Open()
    try:
        if table := upload.label_table(files):
            columns, column = table.columns.choices, table.columns.chosen
    except PlaygroundError:
        pass
    return Open(files.encodings(), names, tables, columns, column)
