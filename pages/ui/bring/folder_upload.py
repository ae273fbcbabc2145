"""Choosing a folder: one file is sent for all its images, since Streamlit's own uploader of folders takes minutes."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from cnn_core.settings import settings
from pages.ui.frame import spool
from pages.ui.frame.images import TYPES

NAME, HIDDEN = "folder-zip", "folder-hidden"  # of the file widget, and of the box around it
TABLES = ("csv", "tsv", "txt")  # that may hold the labels
HTML = """
<label>
  <input type="file" webkitdirectory multiple>
  <b>Choose a folder</b>
  <span>that holds one folder a class, or drop it here</span>
</label>
<p role="status"></p>
"""
CSS = """
label {
  display: flex; flex-wrap: wrap; gap: .75rem; align-items: center; padding: 1rem; border-radius: .6rem;
  border: 1px dashed var(--st-border-color); background: var(--st-secondary-background-color);
  color: var(--st-text-color); font-family: var(--st-font); cursor: pointer;
}
label[aria-busy] { opacity: .5; pointer-events: none; }
label:focus-within { outline: 2px solid var(--st-primary-color); }
input { position: absolute; width: 1px; height: 1px; opacity: 0; }
b {
  padding: .35rem .75rem; border-radius: .5rem; font-weight: 500;
  border: 1px solid var(--st-border-color); background: var(--st-background-color);
}
p {
  margin: .4rem 0 0; min-height: 1.4em; font-size: .875rem;
  color: var(--st-text-color); font-family: var(--st-font);
}
"""
_choose = st.components.v2.component(
    "folder_upload", html=HTML, css=CSS, js=Path(__file__).with_suffix(".js").read_text("utf-8")
)


def folder_upload() -> UploadedFile | None:
    """The chosen folder's images as a zip, once; `spool.release` it when it is on the disk.

    Their number does not matter to the upload: packing and sending are limited by the bytes.
    """
    with st.container(key=HIDDEN):  # the style sheet hides it
        file = st.file_uploader("The packed folder", type=["zip"], key=spool.key(NAME), label_visibility="collapsed")
    _choose(
        key="folder-upload",
        data={
            "uploader": HIDDEN,
            "endings": [*TYPES, *TABLES],
            "most_files": min(settings().import_files, 65_000),  # a zip of more needs other records
            "most_megabytes": int(st.get_option("server.maxUploadSize")),
            "turn": spool.key(NAME),  # another one clears what it says
        },
    )
    return file
