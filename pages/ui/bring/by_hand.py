"""Classes made by hand: make one, name it, drop images on it or take them with the camera."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnn_core.data.decode import decode, fit
from cnn_core.data.incoming.upload import Upload
from cnn_core.errors import ImageError
from cnn_core.settings import settings
from pages.ui.frame import spool, words
from pages.ui.frame.errors import errors_shown, plain
from pages.ui.frame.images import TYPES, data_uri, pixels

THUMBNAIL, SHOWN = 56, 14


def classes(upload: Upload) -> Upload:
    """The form of all classes; what is dropped is added to the upload at once."""
    with st.form("new-class", clear_on_submit=True, border=False), st.container(horizontal=True):
        name = st.text_input("New class", placeholder="Name of a class", label_visibility="collapsed", max_chars=80)
        if st.form_submit_button("Add class", icon=":material/add:"):
            with errors_shown():
                upload.make_class(name)
    grid = st.grid(2, min_column_width=320)
    for number, name in enumerate(upload.classes):
        with grid.cell(), st.container(border=True):
            _card(upload, number, name)
    return upload


def _card(upload: Upload, number: int, name: str) -> None:
    mine = [item for item in upload.received if item.path.startswith(f"{name}/")]
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{plain(name)}** · {words.count(len(mine), 'image')}")
        if st.button("Remove", key=f"drop-class:{name}", icon=":material/delete:", type="tertiary"):
            upload.drop_class(name)
            st.rerun()
    if mine:
        tiles = "".join(
            f'<img alt="" src="{_thumbnail(str(upload.folder / item.kept), item.path)}">' for item in mine[-SHOWN:]
        )
        st.html(f'<div class="cnn-thumbnails">{tiles}</div>')
    key = f"{upload.token}:{name}"
    turn = st.session_state.setdefault(f"turn:{key}", 0)
    if st.toggle("Camera", key=f"camera:{key}"):
        photo = st.camera_input("Take images", key=f"photo:{key}:{turn}", label_visibility="collapsed")
        files = [photo] if photo else []
    else:
        files = st.file_uploader(
            f"Images of {plain(name)}",
            type=TYPES,
            accept_multiple_files=True,
            key=f"files:{key}:{turn}",
            label_visibility="collapsed",
            max_upload_size=settings().upload_megabytes,
        )
    if files:
        _take(upload, name, [(file.name, file.getvalue()) for file in files])
        spool.forget(files)  # what the widget held is in the upload
        st.session_state[f"turn:{key}"] = turn + 1  # an emptied one
        st.rerun()
    for problem in st.session_state.pop(f"problems:{name}", []):
        st.error(plain(problem), icon=":material/error:")


def _take(upload: Upload, name: str, files: list[tuple[str, bytes]]) -> None:
    """Add images to the upload; those that cannot be read are named, and the others are kept."""
    problems, readable = [], []
    for file, data in files:
        try:
            decode(data, file)
            readable.append((f"{name}/{file.replace('/', ' ')}", data))
        except ImageError as error:
            problems.append(str(error))
    problems += upload.add(readable)
    st.session_state[f"problems:{name}"] = problems


@st.cache_data(max_entries=2000, show_spinner=False)
def _thumbnail(path: str, name: str) -> str:
    with open(path, "rb") as file:
        image = decode(file.read(), name)
    return data_uri(pixels(np.asarray(fit(image, 3, THUMBNAIL))))
