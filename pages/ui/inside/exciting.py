"""What excites a map: the validation images with the patch that did it, and an image made for it."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray
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
    quiet()
    results, controls = layout.beside()
    with controls, layout.card("A map and what excites it"):
        address, unit = _choose(look)
        aim = query.choose(
            st.segmented_control, "An image that excites", list(AIMS), name="aim", format_func=AIMS.__getitem__
        )
        st.caption("Found by gradient ascent from noise, in the way of Olah et al. 2017.")
    with results:
        with st.container(border=True):
            _made(look, address, unit, aim)
        with st.container(border=True):
            _images(look, address, unit)


def _choose(look: Look) -> tuple[str, int]:
    network = look.network.network
    titles = {
        each.address: f"{each.position + 1} · {each.title}"
        for each in network.operations
        if isinstance(network.get_submodule(each.address), nn.Conv2d | nn.Linear)
    }
    address = query.choose(st.selectbox, "Layer", list(titles), name="layer", format_func=titles.__getitem__)
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


def _made(look: Look, address: str, unit: int, aim: Aim) -> None:
    """The image made for the map, plain gradient ascent beside it, and on demand one for every map of the layer."""
    st.markdown("**Images made for it**")
    robust, raw = (patterns.make(look, address, [unit], aim, plain) for plain in (False, True))
    columns = st.columns([1, 1, 2], vertical_alignment="center")
    for column, made, name in zip(
        columns, (robust, raw), ("Robust to moves and turns", "Plain gradient"), strict=False
    ):
        with column:
            st.image(enlarge(patterns.as_pixels(made.images[0]), 220), width="stretch", alt=name)
            st.caption(f"{name}: {words.significant(float(made.objective[0]), 3)}")
    with columns[2]:
        st.markdown(
            "Both raise the same number. Plain ascent finds the speckle that the network happens to answer to; seen "
            "moved, turned and scaled, only the pattern itself survives."
        )
        count = min(AT_ONCE, _units(look, address))
        units = list(range(count))
        if patterns.made(look, address, units, aim) is None and st.button(
            f"Make one for each of {count} maps", icon=":material/grid_view:", key="make-all"
        ):
            patterns.make(look, address, units, aim)
    if whole := patterns.made(look, address, units, aim):
        st.image(_montage(whole.images), width="stretch", alt="An image for each map of the layer")
        st.caption(f"One for each of the first {count} maps, from left to right, row by row.")


def _montage(images: NDArray[np.float32], gap: int = 2) -> NDArray[np.uint8]:
    """(n, C, H, W) in 0..1 side by side as uint8 (rows, columns, 3)."""
    count, _, height, width = images.shape
    columns = balanced_columns(count)
    rows = -(-count // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 128, np.uint8)
    for place, image in enumerate(images):
        drawn = patterns.as_pixels(image)
        top, left = place // columns * (height + gap), place % columns * (width + gap)
        sheet[top : top + height, left : left + width] = drawn if drawn.ndim == 3 else drawn[..., None]
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
        "the map. The frame is the part of the image that this value depends on."
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
    place = f"top:{100 * top / height:.1f}%;left:{100 * left / width:.1f}%"
    size = f"height:{100 * (bottom - top) / height:.1f}%;width:{100 * (right - left) / width:.1f}%"
    return f'<i style="{place};{size}"></i>'
