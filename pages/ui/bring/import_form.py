"""The choices of an import, kept with the images, and its start."""

from __future__ import annotations

from typing import Any

import streamlit as st

from cnn_core.data.catalogue.versions import free_name, own_datasets
from cnn_core.data.incoming.import_spec import READING, ImportSpec
from cnn_core.data.incoming.labels.layout import Layout
from cnn_core.data.incoming.upload import Upload
from cnn_core.jobs.tasks.import_images import ImportRequest, import_of
from cnn_core.jobs.tasks.task import TaskState
from cnn_core.spec import noted
from pages.ui.forms import typed, widgets
from pages.ui.frame import words
from pages.ui.frame.errors import errors_shown, show_error


def choices(upload: Upload) -> ImportSpec:
    """The form of an import, kept with the images."""
    st.session_state["bring-upload"] = upload
    typed.begin()
    own = {known.id: known.title for known in own_datasets()}
    st.session_state["choice:onto"] = upload.choices.get("onto", "") if upload.choices.get("onto") in own else ""
    st.selectbox(
        "Make",
        ["", *own],
        format_func=lambda option: f"More of {own[option]}" if option else "A new data set",
        key="choice:onto",
        on_change=_chosen,
        args=("choice:onto",),
        help="More of a data set: its images keep their split, and those it has are left out.",
    )
    spec = upload.spec
    taken_over = ("size", "fit", "colour", "copies") if st.session_state["choice:onto"] else ()
    fields = {name: field for name, field in ImportSpec.model_fields.items() if name not in (*taken_over, *READING)}
    for name, field in fields.items():
        if not noted(field, "advanced"):
            widgets.widget(f"choice:{name}", name, field, getattr(spec, name), _chosen)
    with st.expander("Splits and more", icon=":material/tune:"):
        for name, field in fields.items():
            if noted(field, "advanced"):
                widgets.widget(f"choice:{name}", name, field, getattr(spec, name), _chosen)
        _text(upload, "made_by", "Made by", "", help="Shown in the list of data sets; may be empty.")
    return spec


def _text(upload: Upload, name: str, title: str, default: str, **more: Any) -> None:
    st.session_state[f"choice:{name}"] = upload.choices.get(name, default)
    st.text_input(title, key=f"choice:{name}", max_chars=80, on_change=_chosen, args=(f"choice:{name}",), **more)


def _chosen(key: str) -> None:
    st.session_state["bring-upload"].choose(**{key.removeprefix("choice:"): st.session_state[key]})


def start(upload: Upload, found: Layout, spec: ImportSpec, state: TaskState | None) -> None:
    """What was found in a sentence, its name, and the button that imports it."""
    onto = upload.choices.get("onto", "")
    if state and state.error:
        show_error(state.error)
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{words.count(len(found.files), 'image')} of {words.count(len(found.classes), 'class')}**", width=230
        )
        if not onto:
            _text(upload, "name", "Name", upload.title, placeholder="Name", label_visibility="collapsed")
        name = upload.choices.get("name", upload.title)
        wrong = bool(typed.sentences())
        if st.button("Import", icon=":material/move_to_inbox:", type="primary", disabled=wrong, key="import"):
            with errors_shown():
                name, made_by = name if onto else free_name(name), upload.choices.get("made_by", "")
                import_of(upload).start(
                    ImportRequest(upload=upload.token, spec=spec, name=name, made_by=made_by, onto=onto)
                )
                st.rerun()
