"""From edges to shapes: what each convolution of a network looks for, from the first to the last."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn_core.data.dataset import ImageDataset
from cnn_core.inspection.exciting import Exciting, Ranked
from cnn_core.inspection.filters import Filters, filters
from cnn_core.inspection.montage import montage
from cnn_core.inspection.receptive_field import receptive_field, windows
from pages.ui.frame import words
from pages.ui.frame.errors import errors_shown
from pages.ui.frame.images import data_uri, pixels
from pages.ui.inside import patterns, validation
from pages.ui.inside.look import Look
from pages.ui.understand.classifiers import quiet

MAPS = 6  # of each convolution
PATCHES = 3  # of each map


@errors_shown()
def show(look: Look) -> None:
    """One column a convolution: its filters, images made for them, and the patches that excite them most."""
    quiet()
    learned = filters(look.network.network)
    if not learned:
        st.info("This network has no convolution, so there is no way from edges to shapes to follow.")
        return
    st.markdown(
        "Read it from left to right: the first filters answer to edges and spots, those after them to what these "
        "combine to. Each row is a map: its **kernel**, an image **made** for it, and the **patches** of validation "
        "images that excite it most."
    )
    dataset = validation.usable(look)
    found = patterns.found(look, dataset, [each.address for each in learned]) if dataset else {}
    units = [_units(each, found.get(each.address)) for each in learned]
    made = _made(look, learned, units)
    columns = "".join(
        _column(look, dataset, each, units[place], made[place] if place < len(made) else None, found.get(each.address))
        for place, each in enumerate(learned)
    )
    st.html(f'<div class="cnn-hierarchy">{columns}</div>')
    kernels = "Kernels: the mean over the input maps, blue above zero and orange below, each layer on one scale."
    st.caption(f"{_chosen(look, dataset)} {kernels}")


def _chosen(look: Look, dataset: ImageDataset | None) -> str:
    """Which maps are shown."""
    if dataset is None:
        return (
            f"The first {MAPS} maps of each layer. The validation images of this run are not here, so patches are left "
            "out."
        )
    seen = words.count(len(patterns.positions(look, dataset)), "validation image")
    return f"{MAPS} maps a layer: those with the largest mean, over {seen}, of their largest value."


def _units(learned: Filters, found: Exciting | None) -> list[int]:
    """The maps shown of a convolution."""
    return found.strongest_maps(MAPS) if found else list(range(min(MAPS, len(learned.weights))))


def _made(look: Look, learned: list[Filters], units: list[list[int]]) -> list[patterns.Made]:
    """Images for the maps of each convolution: where they are there or quickly made, else by a button. Ends at the
    first layer for which none can be made."""
    missing = [
        patterns.seconds(look, each.address, len(chosen))
        for each, chosen in zip(learned, units, strict=True)
        if patterns.made(look, each.address, chosen) is None
    ]
    name = f"Make an image for each map (about {sum(missing):.0f} s)"
    made: list[patterns.Made] = []
    if sum(missing) > patterns.UNASKED and not st.button(name, icon=":material/auto_awesome:", key="make-hierarchy"):
        return made
    with errors_shown():
        for each, chosen in zip(learned, units, strict=True):
            made.append(patterns.make(look, each.address, chosen))
    return made


def _column(
    look: Look,
    dataset: ImageDataset | None,
    learned: Filters,
    units: list[int],
    made: patterns.Made | None,
    found: Exciting | None,
) -> str:
    """A convolution as HTML."""
    kernels = learned.weights.mean(1)[units]
    rows = []
    for place, unit in enumerate(units):
        kernel = _image(_kernel(kernels, place), "kernel")
        image = _image(made.images[place], "made") if made else ""
        patches = _patches(look, dataset, learned, found.most, unit) if dataset and found else ""
        rows.append(f"<tr><th>{unit + 1}</th><td>{kernel}</td><td>{image}</td>{patches}</tr>")
    title = escape(f"{learned.position + 1} · {learned.title}")
    return f"<section><b>{title}</b><span>{_field(look, learned)}</span><table>{''.join(rows)}</table></section>"


def _field(look: Look, learned: Filters) -> str:
    window = windows(look.network.network)[learned.address]
    if window is None:
        return "Receptive field: the whole image"
    whole = ", the whole image" if window.side >= max(look.network.shape[1:]) else ""
    return f"Receptive field {window.side} × {window.side} px{whole}"


def _kernel(kernels: NDArray[np.float32], place: int) -> NDArray[np.uint8]:
    """One of some kernels, on the scale of all of them."""
    most = float(np.abs(kernels).max()) or 1.0
    padded = np.stack([kernels[place], np.full_like(kernels[place], most), np.full_like(kernels[place], -most)])
    drawn = montage(padded, columns=3, scale="diverging", gap=0)
    return np.ascontiguousarray(drawn[:, : kernels.shape[2]])


def _patches(look: Look, dataset: ImageDataset, learned: Filters, most: Ranked, unit: int) -> str:
    """The patches that excite a map most; one that lies wholly in the padding is left empty."""
    chosen = patterns.positions(look, dataset)
    cells = []
    for place, image in enumerate(most.images[unit][:PATCHES]):
        at = int(most.rows[unit, place]), int(most.columns[unit, place])
        top, left, bottom, right = receptive_field(look.network.network, learned.address, *at)
        position = int(chosen[image])
        patch = np.ascontiguousarray(dataset.images[position][:, top:bottom, left:right])
        value = words.significant(float(most.values[unit, place]), 2)
        name = f"{dataset.classes[dataset.labels[position]]}, {value}"
        cells.append(f"<td>{_image(pixels(patch), name) if patch.size else ''}</td>")
    return "".join(cells)


def _image(image: NDArray[np.uint8], text: str) -> str:
    shown = escape(text, quote=True)
    return f'<img src="{data_uri(image, fast=True)}" alt="{shown}" title="{shown}">'
