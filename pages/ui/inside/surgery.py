"""Filter surgery: silence a map, replace or shuffle kernels, and see what the network then answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st
import torch

from cnn_core.inspection.montage import enlarge, montage
from cnn_core.inspection.outputs import outputs
from cnn_core.inspection.silence import Weighted, weighted
from cnn_core.inspection.surgery import PAINTED, Edit, operate, replaced
from cnn_core.models.network import Network
from pages.ui.charts import figures
from pages.ui.frame import layout, words
from pages.ui.frame.errors import errors_shown, plain
from pages.ui.frame.images import pixels
from pages.ui.inside import edits, map_ranking, recall_change
from pages.ui.inside.kernel_paint import kernel_paint
from pages.ui.inside.look import Look
from pages.ui.inside.map_tiles import map_tiles

MOST_TILES = 48
MOST_INPUTS = 12  # kernels of a map that are drawn
FINE, KERNEL_WIDTH = 10, 42  # image pixels of a weight, and CSS pixels of a kernel that is drawn
MOST_SEEDS = 9999
PAINTED_SIDE = 7  # the largest grid to paint; a larger kernel is zero around it
SILENCE, SHUFFLE = "silence", "shuffle"
ACTIONS = {
    SILENCE: "Silence",
    "sobel_x": "Sobel →",
    "sobel_y": "Sobel ↓",
    "blur": "Blur",
    "identity": "Identity",
    "random": "Random",
    PAINTED: "Paint",
    SHUFFLE: "Shuffle the layer",
}
HELP = {
    SILENCE: "It is zero for every image, its bias included, also after the batch norm that follows.",
    "sobel_x": "The Sobel kernel for edges between left and right: large where the image gets lighter to the right.",
    "sobel_y": "The Sobel kernel for edges between top and bottom: large where the image gets lighter further down.",
    "blur": "A mean weighted towards the middle (binomial, nearly a Gaussian).",
    "identity": "1 in the middle and 0 around it: the input map passes as it is.",
    "random": "Weights drawn at random (normal), others for each input.",
    PAINTED: "A kernel of your own.",
    SHUFFLE: "The weights and biases of the layer change places: the same maps come out, but the next layer expects "
    "each somewhere else.",
}


def show(look: Look) -> None:
    """The section; redrawn alone when something in it changes."""
    st.fragment(_section)(look)


@errors_shown()
def _section(look: Look) -> None:
    names = edits.layers(look.network.network)
    made = edits.edits(look.run)
    operated = operate(look.network.network, made).eval()
    left, right = st.columns([5, 6], gap="medium")
    with left:
        with layout.card("Operate on a filter", "Nothing is saved: the run stays as it is."):
            address = _operate(look, names, operated)
        _made(look)
    with right:
        _this_image(look, operated, made)
        recall_change.show(look, made)
    map_ranking.show(look, address, names[address])


def _operate(look: Look, names: dict[str, str], operated: Network) -> str:
    """Choices of the layer, the map and the edit. Returns the layer's address."""
    address = st.selectbox("Layer", list(names), format_func=names.__getitem__, key=f"surgery-layer:{look.run.id}")
    unit = _pick_map(look, address, operated)
    module = weighted(look.network.network, address)
    action = st.pills(
        "What to do with it",
        _actions(module),
        format_func=ACTIONS.__getitem__,
        default=SILENCE,
        required=True,
        key=f"surgery-action:{module.weight.ndim}:{tuple(module.weight.shape[2:])}",
    )
    st.caption(HELP[action])
    edit = _edit(look, address, unit, action)
    st.button(
        _verb(edit, edits.noun(look.network.network, address)),
        icon=":material/check:",
        type="primary",
        on_click=edits.add,
        args=(look.run, edit),
        key="surgery-apply",
        disabled=edit in edits.edits(look.run),
    )
    return address


def _actions(module: Weighted) -> list[str]:
    """What makes sense there: a linear layer has no kernels with sides, and one pixel neither edges nor a blur."""
    shape = module.weight.shape
    if len(shape) == 2:
        return [SILENCE, "random", SHUFFLE]
    if max(shape[2:]) == 1:
        return [SILENCE, "identity", "random", SHUFFLE]
    return list(ACTIONS)


def _pick_map(look: Look, address: str, operated: Network) -> int:
    """Tiles of the maps for this image, and a number for those that have none."""
    image = look.network.tensor(look.image[None])
    saved, maps = (_output(network, image, address) for network in (look.network.network, operated))
    order, how = _order(look, address, saved)
    key = f"surgery-map:{look.run.id}:{address}"
    st.session_state.setdefault(key, order[0] + 1)
    unit, shown = int(st.session_state[key]) - 1, order[:MOST_TILES]
    if unit not in shown:
        shown[-1] = unit
    each = edits.noun(look.network.network, address)
    st.caption(f"{each.capitalize()}s for this image, {how}. Orange is below zero, blue above.")
    map_tiles(
        maps,
        shown,
        [_label(maps, number) for number in shown],
        unit,
        edits.edited_units(look.run, address),
        f"surgery-tiles:{look.run.id}:{address}",
        lambda chosen: st.session_state.update({key: chosen + 1}),
    )
    st.number_input(each.capitalize(), 1, len(maps), step=1, key=key, help="Counted from 1, as the layer has them.")
    return unit


def _order(look: Look, address: str, maps: np.ndarray) -> tuple[list[int], str]:
    """The maps, first those that matter most, where that was measured, else the strongest; and which it is."""
    most = f", {MOST_TILES} of {len(maps):,}" if len(maps) > MOST_TILES else ""
    if found := map_ranking.ranking(look, address):
        return found.order.tolist(), f"those that matter most first{most}"
    strength = np.abs(maps).reshape(len(maps), -1).mean(axis=1)
    return np.argsort(-np.nan_to_num(strength, posinf=0), kind="stable").tolist(), f"the strongest first{most}"


def _label(maps: np.ndarray, unit: int) -> str:
    values = maps[unit]
    if maps.ndim == 1:
        return f"Output {unit + 1}, {words.significant(values, 2)}"
    return f"Map {unit + 1}, {words.significant(values.min(), 2)} to {words.significant(values.max(), 2)}"


def _edit(look: Look, address: str, unit: int, action: str) -> Edit:
    """The edit as chosen, with the choices that it needs."""
    network = look.network.network
    if action == SILENCE:
        return Edit(address, "zero", unit)
    if action == SHUFFLE:
        return Edit(address, "shuffle", seed=_seed())
    channel = _channel(network, address) if weighted(network, address).weight.ndim == 4 else None
    edit = Edit(address, "kernel", unit, action, channel, seed=_seed() if action == "random" else 0)
    if action == PAINTED:
        key = f"surgery-paint:{look.run.id}:{address}:{unit}:{channel}"
        edit = replace(edit, painted=kernel_paint(_start(network, edit), key))
    _preview(network, edit)
    return edit


def _seed() -> int:
    return int(st.number_input("Seed", 0, MOST_SEEDS, step=1, key="surgery-seed", help="Another one draws anew."))


def _channel(network: Network, address: str) -> int | None:
    """The input map whose kernel is replaced, None for all."""
    inputs = weighted(network, address).weight.shape[1]
    if inputs == 1:
        return None
    chosen = st.selectbox(
        "Kernel",
        [-1, *range(inputs)],
        key=f"surgery-input:{address}",
        format_func=lambda number: "for every input map" if number < 0 else f"for input map {number + 1}",
        help="A map has one kernel for each map that comes in; what they give is added up.",
    )
    return None if chosen < 0 else int(chosen)


def _start(network: Network, edit: Edit) -> np.ndarray:
    """What painting begins with: the kernel of the input, or of the input whose kernel is the largest."""
    kernels = _kernels(network, edit)
    norms = np.square(kernels).sum((1, 2))
    kernel = kernels[int(norms.argmax()) if edit.channel is None else edit.channel]
    top, left = (max(0, (side - PAINTED_SIDE + 1) // 2) for side in kernel.shape)
    return kernel[top : top + PAINTED_SIDE, left : left + PAINTED_SIDE]


def _preview(network: Network, edit: Edit) -> None:
    """The kernels as learned, and below them what takes their place."""
    old, new = _kernels(network, edit), replaced(network, edit)
    if old.shape[1] == 1:
        return
    chosen = [edit.channel] if edit.channel is not None else list(range(min(len(old), MOST_INPUTS)))
    both = np.concatenate([old[chosen], new[chosen]])
    fine = both.repeat(FINE, axis=1).repeat(FINE, axis=2)
    image = montage(fine, columns=len(chosen), scale="diverging", gap=2)
    st.image(image, width=KERNEL_WIDTH * len(chosen), alt="Kernels before and after")
    part = f" (the first {MOST_INPUTS} inputs)" if len(chosen) < len(old) and edit.channel is None else ""
    st.caption(f"Above: as learned{part}. Below: what takes their place, at the same size (Frobenius norm).")


def _kernels(network: Network, edit: Edit) -> np.ndarray:
    """float32 (I, h, w), or (1, 1, F) of a linear layer."""
    weights = weighted(network, edit.address).weight[edit.unit].detach().float().cpu().numpy()
    return weights if weights.ndim == 3 else weights.reshape(1, 1, -1)


def _verb(edit: Edit, each: str) -> str:
    if edit.kind == "shuffle":
        return "Shuffle the layer"
    return f"{'Silence' if edit.kind == 'zero' else 'Replace in'} {each} {edit.unit + 1}"


def _output(network: Network, image: torch.Tensor, address: str) -> np.ndarray:
    """float32 (C, H, W) or (F,)."""
    found = outputs(network, image, [address], lambda output: output[0].to("cpu", torch.float32, copy=True))
    return np.ascontiguousarray(found[address].numpy())


def _this_image(look: Look, operated: Network, made: tuple[Edit, ...]) -> None:
    """Probabilities of the saved and of the edited network, side by side."""
    edited = replace(look.network, network=operated)
    sides = {"Before": look.network, "After": edited}
    right = None if look.label is None else look.network.classes[look.label]
    with layout.card("This image"):
        thumbnail, *columns = st.columns([1, 3, 3], vertical_alignment="center")
        thumbnail.image(enlarge(pixels(look.image), 96), width=96, alt="The image")
        for (name, network), column in zip(sides.items(), columns, strict=True):
            with column:
                st.caption(name)
                figures.bars(_top(network.classify(look.image[None])[0], look.network.classes), right)
        if not made:
            st.caption("Nothing is edited yet, so both are the same.")


def _top(probabilities: np.ndarray, classes: tuple[str, ...], most: int = 5) -> dict[str, float]:
    found = np.argsort(-probabilities, kind="stable")[:most]
    return {classes[number]: float(probabilities[number]) for number in found}


def _made(look: Look) -> None:
    """The edits, each to be removed."""
    made = edits.edits(look.run)
    if not made:
        return
    with layout.card(words.count(len(made), "edit")):
        for place, edit in enumerate(made):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(plain(edits.described(edit, look.network.network)), width="stretch")
                st.button(
                    "Remove",
                    icon=":material/close:",
                    key=f"surgery-remove:{place}",
                    type="tertiary",
                    on_click=edits.remove,
                    args=(look.run, edit),
                )
        st.button(
            "Put everything back", icon=":material/undo:", key="surgery-back", on_click=edits.put_back, args=(look.run,)
        )
