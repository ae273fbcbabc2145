"""From edges to shapes: what each convolution of a network looks for, from the first to the last."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn_core.inspection.exciting import Exciting, Ranked
from cnn_core.inspection.filters import Filters, filters
from cnn_core.inspection.montage import montage
from cnn_core.inspection.receptive_field import receptive_field, windows
from pages.ui.frame import words
from pages.ui.frame.errors import errors_shown
from pages.ui.frame.images import data_uri, pixels
from pages.ui.inside import patterns
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
        "Read it from left to right: the first filters answer to edges and spots, those behind them to what these "
        "combine to. Each row is a map: its **kernel**, an image **made** for it, and the **patches** of validation "
        "images that excite it most."
    )
    found = None
    if look.dataset is not None:
        found = patterns.found(look, look.dataset, [each.address for each in learned])
    else:
        st.caption("The validation images of this run are not here: patches are left out.")
    columns = "".join(_column(look, each, found[each.address] if found else None) for each in learned)
    st.html(f'<div class="cnn-hierarchy">{columns}</div>')
    st.caption(
        f"{MAPS} maps a layer: those with the largest mean over {patterns.IMAGES:,} validation images. Kernels: the "
        "mean over the input maps, blue above zero and orange below, each layer on one scale."
    )


def _column(look: Look, learned: Filters, found: Exciting | None) -> str:
    """A convolution as HTML."""
    units = found.strongest_maps(MAPS) if found else list(range(min(MAPS, len(learned.weights))))
    made = patterns.make(look, learned.address, units)
    window = windows(look.network.network)[learned.address]
    sees = f"sees {window.side} × {window.side} px" if window else "sees the whole image"
    kernels = learned.weights.mean(1)[units]
    rows = "".join(
        f"<tr><th>{unit + 1}</th><td>{_image(_kernel(kernels, place), 'kernel')}</td>"
        f"<td>{_image(patterns.as_pixels(made.images[place]), 'made')}</td>{_patches(look, learned, found and found.most, unit)}</tr>"
        for place, unit in enumerate(units)
    )
    title = f"{learned.position + 1} · {learned.title}"
    return f"<section><b>{escape(title)}</b><span>{sees}</span><table>{rows}</table></section>"


def _kernel(kernels: NDArray[np.float32], place: int) -> NDArray[np.uint8]:
    """One of some kernels, on the scale of all of them."""
    most = float(np.abs(kernels).max()) or 1.0
    padded = np.stack([kernels[place], np.full_like(kernels[place], most), np.full_like(kernels[place], -most)])
    drawn = montage(padded, columns=3, scale="diverging", gap=0)
    return np.ascontiguousarray(drawn[:, : kernels.shape[2]])


def _patches(look: Look, learned: Filters, most: Ranked | None, unit: int) -> str:
    """The patches that excite a map most; one that lies wholly in the padding is left empty."""
    if most is None or look.dataset is None:
        return ""
    chosen = patterns.positions(look, look.dataset)
    cells = []
    for place, image in enumerate(most.images[unit][:PATCHES]):
        at = int(most.rows[unit, place]), int(most.columns[unit, place])
        top, left, bottom, right = receptive_field(look.network.network, learned.address, *at)
        position = int(chosen[image])
        patch = np.ascontiguousarray(look.dataset.images[position][:, top:bottom, left:right])
        value = words.significant(float(most.values[unit, place]), 2)
        name = f"{look.dataset.classes[look.dataset.labels[position]]}, {value}"
        cells.append(f"<td>{_image(pixels(patch), name) if patch.size else ''}</td>")
    return "".join(cells)


def _image(image: NDArray[np.uint8], text: str) -> str:
    shown = escape(text, quote=True)
    return f'<img src="{data_uri(image, fast=True)}" alt="{shown}" title="{shown}">'
