"""What excites a map: the validation images with the patch that did it, and an image made for it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator
from torch import nn

from cnn_core.data.dataset import ImageDataset
from cnn_core.inspection.exciting import Ranked
from cnn_core.inspection.feature_visualisation import AT_ONCE, Aim
from cnn_core.inspection.montage import balanced_columns, enlarge
from cnn_core.inspection.receptive_field import receptive_field
from pages.ui.address import query
from pages.ui.frame import layout, words
from pages.ui.frame.errors import errors_shown
from pages.ui.frame.images import data_uri, pixels
from pages.ui.inside import patterns, validation
from pages.ui.inside.look import Look
from pages.ui.understand.classifiers import quiet

AIMS: dict[Aim, str] = {"neuron": "One place", "map": "The whole map"}


@errors_shown()
def show(look: Look) -> None:
    """A layer and a map of it, what excites it and an image made for it."""
    results, controls = layout.beside()
    with controls, layout.card("A map and what excites it"):
        address, unit = _choose(look)
        st.caption("Images are made by gradient ascent from noise, in the way of Olah et al. 2017.")
    with results:
        show_map(look, address, unit)


def show_map(look: Look, address: str, unit: int) -> None:
    """What excites a map, 0-based, of the convolution or linear layer at `address`."""
    quiet()
    with st.container(border=True):
        _made(look, address, unit)
    with st.container(border=True):
        _images(look, address, unit)


def _choose(look: Look) -> tuple[str, int]:
    network = look.network.network
    titles = {
        each.address: f"{each.position + 1} · {each.title}"
        for each in network.operations
        if isinstance(network.get_submodule(each.address), nn.Conv2d | nn.Linear)
    }
    address = query.choose(
        st.selectbox, "Layer", list(titles), name="layer", clears=("map",), format_func=titles.__getitem__
    )
    count = _units(look, address)
    last = address == str(len(network) - 1) and count == len(look.network.classes)
    if last:
        names = look.network.classes
        unit = query.choose(st.selectbox, "Class", list(range(count)), name="map", format_func=lambda n: names[n])
        return address, unit
    number = st.number_input("Map", step=1, **query.mirror_number("map", 1, 1, count))
    return address, int(number) - 1


def _units(look: Look, address: str) -> int:
    """Maps or units of a convolution or linear layer."""
    module = look.network.network.get_submodule(address)
    assert isinstance(module, nn.Conv2d | nn.Linear)
    return int(module.weight.shape[0])


@errors_shown()
def _made(look: Look, address: str, unit: int) -> None:
    """The image made for the map, plain gradient ascent beside it, and on demand one for every map of the layer."""
    st.markdown("**Images made for it**")
    columns = st.columns([1, 1, 2], vertical_alignment="center")
    with columns[2]:
        aim = _aim(look, address)
        wanted = _wanted(look, address, [unit], aim)
    if wanted:
        with columns[0]:
            _one(patterns.make(look, address, [unit], aim), "Robust to moves and turns")
        with columns[1], errors_shown():
            _one(patterns.make(look, address, [unit], aim, plain=True), "Plain gradient")
    with columns[2]:
        st.markdown(
            "Both raise the same number. Plain ascent is free to use single pixels, which in late layers ends in "
            "speckle; what is seen moved, turned and scaled has to be a pattern."
        )
    _whole_layer(look, address, aim, columns[2])


def _aim(look: Look, address: str) -> Aim:
    """What is raised; of a linear layer there is no choice."""
    if isinstance(look.network.network.get_submodule(address), nn.Linear):
        return "neuron"
    return query.choose(
        st.segmented_control, "An image that excites", list(AIMS), name="aim", format_func=AIMS.__getitem__
    )


def _wanted(look: Look, address: str, units: list[int], aim: Aim) -> bool:
    """Whether to make the robust and the plain image: where it is quick or they are there, else by a button."""
    seconds = 2 * patterns.seconds(look, address, len(units))
    there = all(patterns.made(look, address, units, aim, plain) for plain in (False, True))
    return there or seconds < patterns.UNASKED or _asked("Make them", seconds, "make")


def _asked(what: str, seconds: float, key: str) -> bool:
    long = f" (about {seconds:.0f} s)" if seconds >= patterns.UNASKED else ""
    return st.button(f"{what}{long}", icon=":material/auto_awesome:", key=key)


def _one(made: patterns.Made, name: str) -> None:
    st.image(enlarge(made.images[0], 220), width="stretch", alt=name)
    start, end = (words.significant(float(value[0]), 3) for value in (made.start, made.end))
    st.caption(f"{name}: from {start} to {end}")


def _whole_layer(look: Look, address: str, aim: Aim, above: DeltaGenerator) -> None:
    """An image for each map of the layer, at most AT_ONCE, on demand."""
    units = list(range(min(AT_ONCE, _units(look, address))))
    if patterns.made(look, address, units, aim) is None:
        with above:
            name, seconds = f"Make one for each of {len(units)} maps", patterns.seconds(look, address, len(units))
            if not _asked(name, seconds, "make-all"):
                return
    whole = patterns.make(look, address, units, aim)
    st.image(_montage(whole.images), width="stretch", alt="An image for each map of the layer")
    st.caption(f"One for each of the first {len(units)} maps, from left to right, row by row.")


def _montage(images: Sequence[NDArray[np.uint8]], gap: int = 2) -> NDArray[np.uint8]:
    """Images (H, W) or (H, W, 3) side by side as uint8 (rows, columns, 3)."""
    height, width = images[0].shape[:2]
    columns = balanced_columns(len(images))
    rows = -(-len(images) // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 128, np.uint8)
    for place, image in enumerate(images):
        top, left = place // columns * (height + gap), place % columns * (width + gap)
        sheet[top : top + height, left : left + width] = image if image.ndim == 3 else image[..., None]
    return enlarge(sheet, 900)


def _images(look: Look, address: str, unit: int) -> None:
    dataset = validation.usable(look)
    if dataset is None:
        st.markdown("The validation images of this run are not here, so which of them excite the map is not known.")
        return
    found = patterns.found(look, dataset, [address])[address]
    most, least = st.columns(2)
    with most:
        st.markdown("**Excite it most**")
        gallery(look, dataset, found.most, address, unit)
    with least:
        st.markdown("**Excite it least**")
        gallery(look, dataset, found.least, address, unit)
    st.caption(
        f"Of {words.count(len(patterns.positions(look, dataset)), 'validation image')}, by the largest value in "
        "the map. The frame is the part of the image that this value depends on: its receptive field."
    )


def gallery(look: Look, dataset: ImageDataset, ranked: Ranked, address: str, unit: int) -> None:
    """Images with the patch that excites the map in a frame, and their value."""
    chosen = patterns.positions(look, dataset)
    tiles = []
    for place, image in enumerate(ranked.images[unit]):
        position = int(chosen[image])
        value = words.significant(float(ranked.values[unit, place]), 3)
        text = escape(f"{dataset.classes[dataset.labels[position]]}, {value}", quote=True)
        frame = _frame(look, address, int(ranked.rows[unit, place]), int(ranked.columns[unit, place]))
        uri = data_uri(pixels(dataset.images[position]), fast=True)
        tiles.append(
            f'<figure class="cnn-patch"><div><img src="{uri}" alt="{text}">{frame}</div>'
            f"<figcaption>{text}</figcaption></figure>"
        )
    st.html(f'<div class="cnn-gallery cnn-excite">{"".join(tiles)}</div>')


def _frame(look: Look, address: str, row: int, column: int) -> str:
    _, height, width = look.network.shape
    top, left, bottom, right = receptive_field(look.network.network, address, row, column)
    if top == bottom:  # only padding is seen
        return ""
    place = f"top:{100 * top / height:.1f}%;left:{100 * left / width:.1f}%"
    size = f"height:{100 * (bottom - top) / height:.1f}%;width:{100 * (right - left) / width:.1f}%"
    return f'<i style="{place};{size}"></i>'
