"""Bringing pictures: how they arrive, what was found in them, the choices, and the import under way."""

from __future__ import annotations

from collections import Counter

import numpy as np
import streamlit as st
from PIL import Image

from cnn_core.data.decode import Fit, decode, fit
from cnn_core.data.import_spec import ImportSpec
from cnn_core.data.layout import Layout
from cnn_core.data.shelf import own_datasets
from cnn_core.data.tray import Tray
from cnn_core.errors import ImageError, PlaygroundError
from cnn_core.inspection.montage import enlarge
from cnn_core.jobs.imports import ImportState, cancel_import, import_state, start_import
from cnn_core.settings import settings
from pages.ui import address, by_hand, forms, words
from pages.ui.errors import plain, say, spoken
from pages.ui.pictures import TYPES, strip

WAYS = {"archive": "Zip or tar", "folder": "Folder", "by_hand": "Class by class", "server": "On the server"}
ARCHIVES = ["zip", "tar", "gz", "tgz", "bz2", "xz"]
SHOWN = 8  # pictures in the preview
FITS: dict[Fit, str] = {"crop": "cut", "pad": "padded", "squash": "squashed"}


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


def ready(tray: Tray | None) -> Tray:
    """The tray on show, or a new one that the address names from now on."""
    if tray is None:
        tray = Tray.new()
        address.put(tray=tray.token)
    return tray


# How they arrive


def collect(tray: Tray | None) -> Tray | None:
    """The ways in which pictures come; returns the tray they lie on, None while there are none."""
    ways = [way for way in WAYS if way != "server" or settings().import_folders]
    way = address.choose(
        st.segmented_control, "From", ways, name="from", format_func=WAYS.get, label_visibility="collapsed"
    )
    with spoken():
        if way == "archive":
            return _archive(tray)
        if way == "folder":
            return _folder(tray)
        if way == "server":
            return _server_folder(tray)
        return by_hand.classes(ready(tray))
    return tray


def _archive(tray: Tray | None) -> Tray | None:
    limits = settings()
    file = st.file_uploader(
        "A zip or tar with one folder a class", type=ARCHIVES, key="archive",
        help=f"At most {limits.import_files:,} files and {limits.import_megabytes:,} MB unpacked.",
    )  # fmt: skip
    with st.expander("The classes are in a table instead", icon=":material/table:"):
        table = st.file_uploader("CSV with the columns filename,label", type=["csv", "tsv", "txt"], key="labels")
    if file and _is_new(file.file_id, "archive"):
        tray = ready(None)
        tray.put_archive(file.name, file.getvalue())
    if tray and table and _is_new(file.file_id + table.file_id if file else table.file_id, "labels"):
        tray.put_labels(table.getvalue())
    if tray and not table and st.session_state.pop("bring:labels", None):
        tray.put_labels(None)
    return tray


def _folder(tray: Tray | None) -> Tray | None:
    files = st.file_uploader(
        "A folder that holds one folder a class", type=TYPES, accept_multiple_files="directory", key="directory"
    )
    if files and _is_new(",".join(file.file_id for file in files), "directory"):
        tray = ready(None)
        with st.spinner("Taking the pictures …"):
            for file in files:
                with spoken():
                    tray.add(file.name, file.getvalue())
    return tray


def _server_folder(tray: Tray | None) -> Tray | None:
    allowed = ", ".join(map(str, settings().import_folders))
    path = st.text_input("Folder on the server", help=f"Inside of: {allowed}", key="server-folder")
    if path and _is_new(path, "server"):
        tray = ready(None)
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
    st.code("pictures.zip\n├─ cats\n│  ├─ 1.jpg\n│  └─ 2.png\n└─ dogs\n   └─ 3.jpg", language=None)
    st.caption("Folders called train, validation and test around the classes are kept as splits.")


# What was found


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


def show_found(found: Layout) -> None:
    """Classes with their number of pictures, and what will be left out."""
    counts = Counter((labelled.class_name, labelled.split or "") for labelled in found.files.values())
    classes = sorted({name for name, _ in counts})
    splits = sorted({split for _, split in counts})
    with st.container(border=True):
        st.markdown(f"**{words.count(len(found.files), 'picture')} of {words.count(len(classes), 'class')}**")
        rows = [
            {"Class": name, **{words.label(split) if split else "Pictures": counts[name, split] for split in splits}}
            for name in classes
        ]
        most = max(counts.values())
        columns = {
            title: st.column_config.ProgressColumn(title, format="%d", min_value=0, max_value=most, color="primary")
            for title in rows[0]
            if title != "Class"
        }
        st.dataframe(rows, column_config=columns, hide_index=True, height=min(38 * (len(rows) + 1), 360))
        for reason, count in Counter(found.ignored.values()).most_common():
            files = [path for path, other in found.ignored.items() if other == reason]
            named = ", ".join(files[:3]) + (" …" if count > 3 else "")
            st.caption(plain(f"{words.count(count, 'file')} left out: {reason} {named}"))


def preview(tray: Tray, found: Layout, spec: ImportSpec) -> None:
    """A few pictures in each way of making them square; the chosen way in bold."""
    originals = _originals(tray.token, tray.stamp, found)
    if not originals:
        return
    channels = 1 if spec.colour == "greyscale" else 3
    with st.container(border=True):
        st.markdown(f"**As a network will see them, {spec.size} × {spec.size} pixels**")
        for way, title in FITS.items():
            images = np.stack([fit(picture, channels, spec.size, way) for picture in originals])
            name, row = st.columns([1, 7], vertical_alignment="center")
            name.markdown(f"**{title}** :material/check:" if way == spec.fit else title)
            row.image(enlarge(strip(images, SHOWN, gap=1 + spec.size // 16), 720), width="stretch")


@st.cache_data(max_entries=8, show_spinner=False)
def _originals(token: str, stamp: str, _found: Layout) -> list[Image.Image]:
    """A picture of each of the first classes, small enough to be kept."""
    tray = Tray(token)
    wanted: dict[str, list[str]] = {}
    for path, labelled in _found.files.items():
        wanted.setdefault(labelled.class_name, []).append(path)
    turns = [path for number in range(SHOWN) for paths in wanted.values() for path in paths[number : number + 1]]
    chosen, pictures = set(turns[:SHOWN]), []
    for entry, data in tray.files().read(chosen):
        try:
            if isinstance(data, bytes):
                picture = decode(data, entry.path)
                picture.thumbnail((512, 512))
                pictures.append(picture)
        except ImageError:
            pass  # the report will name it
        if len(pictures) == len(chosen):
            break
    return pictures


# Choices and the start


def choices(tray: Tray) -> ImportSpec:
    """The form of an import, kept with the pictures."""
    chosen = {name: value for name, value in tray.choices.items() if name in ImportSpec.model_fields}
    spec = ImportSpec(**chosen)
    own = {known.id: known.title for known in own_datasets()}
    onto = st.selectbox(
        "Make", ["", *own], format_func=lambda option: f"More of {own[option]}" if option else "A new data set",
        key="import-onto", help="More of a data set: its pictures keep their split, and those it has are left out.",
    )  # fmt: skip
    if not onto:
        st.text_input("Name", value=tray.choices.get("name", tray.title), key=f"import-name:{tray.stamp}", max_chars=80)
        st.session_state["import-name"] = st.session_state[f"import-name:{tray.stamp}"]
    st.text_input("Made by", key="import-made-by", max_chars=80, help="Shown in the list of data sets; may be empty.")
    st.session_state["bring-tray"] = tray
    for name, field in ImportSpec.model_fields.items():
        taken_over = onto and name in ("size", "fit", "colour", "copies")
        if not taken_over and not forms.extra(field, "advanced"):
            forms.widget(f"import:{name}", name, field, getattr(spec, name), _choice_changed)
    return spec


def _choice_changed(key: str) -> None:
    st.session_state["bring-tray"].choose(**{key.removeprefix("import:"): st.session_state[key]})


def start(tray: Tray, spec: ImportSpec, state: ImportState | None) -> None:
    if state and state.error:
        say(state.error)
    if st.button("Import", icon=":material/move_to_inbox:", type="primary", width="stretch", key="import"):
        onto = st.session_state.get("import-onto", "")
        start_import(
            tray, spec, st.session_state.get("import-name", ""), st.session_state.get("import-made-by", ""), onto
        )
        st.rerun()


# Under way


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


def another(tray: Tray) -> None:
    if st.button("Bring more", icon=":material/add:", key="another-import"):
        tray.clear()
        for key in ("bring:archive", "bring:directory", "bring:labels", "bring:server"):
            st.session_state.pop(key, None)
        address.put(tray=None)
        st.rerun()
