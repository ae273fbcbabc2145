"""Networks saved under a name, for everybody on this installation: save one, rename, replace and delete them."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from cnn_core.errors import TakenNameError
from cnn_core.models.presets import Layers
from cnn_core.planning import networks
from cnn_core.runs.networks import TEACHES_LENGTH
from cnn_core.runs.store import NAME_LENGTH
from cnn_core.saved_networks import read_saved
from pages.ui.frame import person
from pages.ui.frame.errors import errors_shown, plain, show_error

OnSaved = Callable[[str], None]  # called with what `network.preset` becomes, before the page is drawn anew

TAKEN = "save-network:taken"  # in the session: id and name of the network that has the name somebody typed


def show(layers: Layers, image_size: int, source: str = "", on_saved: OnSaved = lambda _: None) -> None:
    """Two buttons: save the present network, and what can be done with saved ones.

    `image_size`: side in pixels of the images it is for, 0 for any. `source`: the recipe's `network.preset`.
    """
    note = "Everybody on this installation can start from it then."
    if st.button("Save", icon=":material/bookmark_add:", key="save-network", help=note, disabled=not layers):
        st.session_state.pop(TAKEN, None)
        _save(layers, image_size, source, on_saved)
    if st.button("Saved", icon=":material/bookmarks:", key="saved-networks", help="Rename or delete saved networks."):
        _manage(source, on_saved)


@st.dialog("Save this network", icon=":material/bookmark_add:")
def _save(layers: Layers, image_size: int, source: str, on_saved: OnSaved) -> None:
    before = read_saved(source)
    with st.form("save-network:form", border=False):
        name = st.text_input("Name", before.name if before else "", max_chars=NAME_LENGTH, key="save-network:name")
        teaches = st.text_input(
            "What it shows (optional)",
            max_chars=TEACHES_LENGTH,
            key="save-network:teaches",
            help="One sentence for those who choose a network.",
        )
        owner = person.name_input("save-network:owner")
        asked = st.form_submit_button("Save", type="primary", icon=":material/bookmark_add:", key="save-network:save")
    with errors_shown():
        if asked:
            person.remember(owner)
            st.session_state.pop(TAKEN, None)
            try:
                saved = networks.save(name, layers, owner=owner, image_size=image_size, teaches=teaches)
            except TakenNameError as error:
                st.session_state[TAKEN] = (error.taken_by, str(error))
            else:
                _done(saved, "Saved", on_saved)
        _offer_to_replace(layers, image_size, on_saved)


def _offer_to_replace(layers: Layers, image_size: int, on_saved: OnSaved) -> None:
    """Where the name is taken by another saved network."""
    taken_by, sentence = st.session_state.get(TAKEN, (0, ""))
    if sentence:
        show_error(sentence)
    if taken_by and st.button("Replace that network", icon=":material/sync:", key="save-network:replace"):
        _done(networks.replace(taken_by, layers, image_size), "Replaced", on_saved)


def _done(network: networks.Offered, what: str, on_saved: OnSaved) -> None:
    on_saved(network.key)
    st.toast(plain(f"{what}: {network.title}"), icon=":material/bookmark_added:")
    st.rerun()


@st.dialog("Saved networks", icon=":material/bookmarks:")
def _manage(source: str, on_saved: OnSaved) -> None:
    saved = {network.saved_id: network for network in networks.saved()}
    if not saved:
        st.caption("Nobody has saved a network yet.")
        return
    present = next((number for number, network in saved.items() if network.key == source), next(iter(saved)))
    chosen = st.selectbox(
        "Network",
        list(saved),
        index=list(saved).index(present),
        format_func=lambda number: f"{saved[number].title} · {saved[number].owner}",
        key="saved-networks:chosen",
    )
    network = saved[chosen]
    st.caption(plain(f"{network.teaches} Saved by {network.owner}."))
    with errors_shown():
        _rename(network, source, on_saved)
        with st.popover("Delete", icon=":material/delete:"):
            st.markdown(f"Delete {plain(network.title)} for everybody? Runs that used it keep their layers.")
            if st.button("Delete it", type="primary", key=f"delete-network:{network.saved_id}"):
                networks.delete(network.saved_id)
                st.rerun()


def _rename(network: networks.Offered, source: str, on_saved: OnSaved) -> None:
    """A form, so that Enter saves."""
    with st.form("rename-network", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name", network.title, max_chars=NAME_LENGTH, key=f"rename-network:{network.saved_id}")
        if st.form_submit_button("Rename", icon=":material/edit:", key="rename-network:save"):
            renamed = networks.rename(network.saved_id, name)
            if network.key == source:
                on_saved(renamed.key)
            st.rerun()
