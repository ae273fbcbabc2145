"""The networks to start from: presets and saved ones, a run's, one in JSON; and the present one to pass on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import urlencode

import streamlit as st

from cnn_core.errors import PlaygroundError
from cnn_core.models.faulty_networks import faulty_networks
from cnn_core.models.presets import Layers, NetworkPreset, layers_of, title_of
from cnn_core.models.summary import summarise, totals
from cnn_core.planning import networks
from cnn_core.planning.network_json import LARGEST, layers_to_text, network_from_text
from cnn_core.planning.recipe import input_of
from cnn_core.recipe import Recipe
from cnn_core.runs.store import store
from pages.ui.address.recipe import query_of
from pages.ui.frame import spool, words
from pages.ui.frame.errors import errors_shown, plain, show_error
from pages.ui.runs import choosing

# Called with the layers, the side of the images they are meant for (0: any) and what `network.preset` becomes. In the
# dialog, after which the page is drawn anew: it writes the recipe into the address or the session.
OnChosen = Callable[[Layers, int, str], None]

FAULTY = {"simple_cnn_128_as_printed": "simple_cnn_128"}  # and the preset whose name and training it keeps
COLUMNS, MOST_CARDS = 4, 8
RECENT = 60  # runs
UPLOAD = "network-json"
LONG_LINK, LONGEST_LINK = 2_000, 60_000  # characters: what chat programs may cut, what the server reads (64 kB)


def choose(recipe: Recipe, on_chosen: OnChosen) -> None:
    """A button that opens the choice; `recipe` is the present one."""
    note = "A preset, a saved network, the network of a run, JSON, or a link to this one."
    if st.button("Start from", icon=":material/input:", key="start-from", help=note):
        _choice(recipe, on_chosen)


@st.dialog("Start from", width="large", icon=":material/input:")
def _choice(recipe: Recipe, on_chosen: OnChosen) -> None:
    views = {"Networks": _offered, "A run": _runs, "JSON": _json, "Link": _link}
    view = st.segmented_control(
        "Start from", list(views), default="Networks", required=True, label_visibility="collapsed"
    )
    with errors_shown():
        views[view or "Networks"](recipe, on_chosen)


def _offered(recipe: Recipe, on_chosen: OnChosen) -> None:
    """Cards: the presets, then the saved networks, of which a part of the name finds some where they are many."""
    everything, wanted = networks.offered(), ""
    saved = [network for network in everything if network.saved_id]
    if len(saved) > MOST_CARDS:
        wanted = st.text_input("Find", placeholder="Part of a name, or who saved it", icon=":material/search:")
    matching = [network for network in saved if wanted.casefold() in f"{network.title} {network.owner}".casefold()]
    if saved:
        st.markdown("**Saved on this installation**")
        _cards(matching[:MOST_CARDS], recipe, on_chosen)
        if len(matching) > MOST_CARDS:
            st.caption(f"{MOST_CARDS} of {len(matching):,} are shown. Type a part of a name to find another.")
        elif not matching:
            st.caption("None of the saved networks has that in its name.")
        st.markdown("**Presets**")
    _cards([network for network in everything if not network.saved_id], recipe, on_chosen)
    st.markdown("**As printed in a tutorial, with the mistake**")
    for name, repaired in FAULTY.items():
        _faulty(faulty_networks.get(name), repaired, on_chosen)


def _faulty(network: NetworkPreset, repaired: str, on_chosen: OnChosen) -> None:
    with st.container(border=True, gap="xxsmall"):
        st.markdown(f"**{network.title}**")
        st.caption(network.teaches)
        if st.button("See what the doctor says", key=f"start-from:{network.name}"):
            on_chosen(network.layers, network.image_size, repaired)
            st.rerun()


def _cards(shown: Sequence[networks.Offered], recipe: Recipe, on_chosen: OnChosen) -> None:
    for first in range(0, len(shown), COLUMNS):
        for network, column in zip(shown[first : first + COLUMNS], st.columns(COLUMNS), strict=False):
            with column, st.container(border=True, height="stretch", gap="xxsmall"):
                _card(network, recipe, on_chosen)


def _card(network: networks.Offered, recipe: Recipe, on_chosen: OnChosen) -> None:
    by = f"Saved by {network.owner} · " if network.owner else ""
    st.markdown(f"**{plain(network.title)}**")
    st.caption(plain(network.teaches))
    st.caption(plain(by + _size(network, recipe)))
    if st.button("Start from it", key=f"start-from:{network.key}", width="stretch"):
        on_chosen(network.layers, network.image_size, network.key)
        st.rerun()


def _size(network: networks.Offered, recipe: Recipe) -> str:
    """Parameters on the present images, at the size the network is meant for."""
    (channels, *sides), classes = input_of(recipe)
    height, width = [network.image_size] * 2 if network.image_size else sides
    try:
        sums = totals(summarise(network.layers, (channels, height, width), classes))
    except PlaygroundError:
        return f"does not fit {height} × {width} px"
    return f"{words.compact(sums.parameters)} parameters at {height} × {width} px"


def _runs(_: Recipe, on_chosen: OnChosen) -> None:
    """The network of a recent run, without its weights."""
    runs = {run.id: run for run in store().runs(limit=RECENT) if run.known_recipe}
    if not runs:
        st.caption("There are no runs yet.")
        return
    chosen = st.selectbox("Run", list(runs), format_func=lambda run_id: choosing.title(runs[run_id]))
    found = runs[chosen].recipe
    layers, size = layers_of(found.network), found.data.image_size
    st.markdown(plain(f"{title_of(found.network)}: {words.count(len(layers), 'layer')}."))
    st.caption("Its layers only: the weights that training begins with are chosen on the page Train.")
    if st.button("Start from its network", type="primary", key="start-from-run"):
        on_chosen(layers, size, found.network.preset)
        st.rerun()


def _json(recipe: Recipe, on_chosen: OnChosen) -> None:
    """Text pasted, a file uploaded; beside them the present network."""
    bring, take = st.columns(2, gap="medium")
    with bring:
        text = st.text_area("A network in JSON", height=220, placeholder='[{"kind": "conv", "channels": 16}, …]')
        if st.button("Start from this text", type="primary", key="start-from-text"):
            _take(text, on_chosen)
        file = st.file_uploader("Or a file: a network, or a recipe", type=["json"], key=UPLOAD, max_upload_size=1)
        if file is not None:
            content = file.read(LARGEST + 1)
            spool.forget([file])  # the widget stays: one that is drawn anew would lose the next file
            _take(content, on_chosen)
    with take:
        text = layers_to_text(layers_of(recipe.network))
        st.caption("The network on show")
        st.code(text, language="json", height=300)
        st.download_button(
            "Download",
            data=text,
            file_name="network.json",
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
        )


@errors_shown()
def _take(text: str | bytes, on_chosen: OnChosen) -> None:
    found = network_from_text(text)
    on_chosen(found.layers, found.image_size, found.preset)
    st.rerun()


def _link(recipe: Recipe, _: OnChosen) -> None:
    """The address of this page with the whole recipe in it."""
    link = f"{(st.context.url or '').split('?')[0]}?{urlencode(query_of(recipe))}"
    if len(link) > LONGEST_LINK:
        show_error(f"This network is too large for a link: {len(link):,} characters. Download it as JSON instead.")
        return
    st.caption("Whoever opens this link on this installation sees this network, with its data and training.")
    st.code(link, language=None, wrap_lines=True)
    if len(link) > LONG_LINK:
        st.caption(f"It has {len(link):,} characters, and some programs cut links that long: JSON is the safer way.")
