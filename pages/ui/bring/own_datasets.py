"""The data sets that people imported: who made them, and what can be done with them."""

from __future__ import annotations

import io
import time

import streamlit as st

from cnn_core.data.catalogue import versions
from cnn_core.data.catalogue.library import open_dataset
from cnn_core.data.catalogue.recovery import recover
from cnn_core.data.incoming.zipped import write_zip
from cnn_core.errors import DamagedDatasetError
from cnn_core.jobs.dataset_deletion import delete_dataset
from cnn_core.runs.store import store
from pages.ui.address import query
from pages.ui.frame import layout, words
from pages.ui.frame.errors import errors_shown, plain, show_error


def manage() -> None:
    """A list of all own data sets; the chosen one can be renamed, exported and deleted."""
    known = versions.own_datasets()
    if not known:
        return
    with layout.card("Data sets of your own"):
        chosen = st.dataframe(
            [_row(about) for about in known],
            hide_index=True,
            on_select="rerun",
            selection_mode="single-row",
            key=f"own-datasets:{','.join(about.id for about in known)}",
            height=min(38 * (len(known) + 1), 320),
        )
        rows = chosen["selection"]["rows"]
        if not rows or rows[0] >= len(known):
            st.caption("Tick one to rename, export or delete it.")
            return
        _actions(known[rows[0]])


def _row(about: versions.About) -> dict[str, object]:
    return {
        "Data set": about.title,
        "Images": about.images,
        "Classes": about.classes,
        "Size": f"{about.size} × {about.size}, {'colour' if about.channels == 3 else 'grey'}",
        "Runs": len(store().runs_on(about.id)),
        "Made by": about.made_by,
        "Made": time.strftime("%Y-%m-%d %H:%M", time.localtime(about.created)),
        "Changed": about.note,
        "Hash": about.content_hash[:12],
    }


def _actions(about: versions.About) -> None:
    st.markdown(f"**{plain(about.title)}**")
    whole = _is_whole(about)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _rename(about)
        if whole:
            st.download_button(
                "Export as zip",
                data=lambda: _zip(about.id),
                file_name=f"{about.id}.zip",
                mime="application/zip",
                icon=":material/download:",
                on_click="ignore",
                key=f"export:{about.id}",
            )
        if versions.report(versions.folder_of(about)) and st.button("Import report", icon=":material/receipt_long:"):
            query.put(report=about.id)
            st.rerun()
        with st.popover("Delete", icon=":material/delete:"):
            st.markdown(f"Delete {plain(about.title)} with its {words.count(about.images, 'image')}?")
            if st.button("Delete it", type="primary", key=f"delete:{about.id}"):
                with errors_shown():
                    delete_dataset(about.id)
                    st.rerun()


def _is_whole(about: versions.About) -> bool:
    """Whether its images can be opened; else what is left of them is offered."""
    try:
        open_dataset(about.id)
        return True
    except DamagedDatasetError as error:
        show_error(error)
        offer = f"Recover {words.count(error.recoverable, 'image')}"
        if error.recoverable and st.button(offer, icon=":material/healing:", key=f"recover:{about.id}"):
            with errors_shown():
                recover(about.id)
                st.rerun()
        return False


def _rename(about: versions.About) -> None:
    """A form, so that Enter saves."""
    with st.form("rename", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name", value=about.name, key=f"rename:{about.id}")
        if st.form_submit_button("Rename", icon=":material/edit:", key="rename-data-set"):
            with errors_shown():
                versions.rename(about.id, name)
                st.rerun()


def _zip(dataset_id: str) -> bytes:
    buffer = io.BytesIO()
    write_zip(open_dataset(dataset_id), buffer)
    return buffer.getvalue()
