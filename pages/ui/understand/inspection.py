"""Feature maps and filters as one image a layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from cnn_core.inspection.montage import enlarge, montage
from pages.ui.frame.words import count, significant

if TYPE_CHECKING:
    from cnn_core.inspection.feature_maps import LayerMaps
    from cnn_core.inspection.filters import Filters

WIDEST = 16  # maps a row
MOST_FILTERS, MOST_INPUTS = 16, 16  # of a convolution's kernels, drawn; a deep one has thousands


def name(layer: LayerMaps) -> str:
    return f"{layer.position + 1} · {layer.title}"


def layer_row(layer: LayerMaps, found: Sequence[Filters], own: bool) -> None:
    """One layer on its way: words on the left, its output on the right, its filters a click away."""
    with st.container(border=True):
        text, image = st.columns([1, 4], vertical_alignment="center")
        with text:
            st.markdown(f"**{name(layer)}**")
            st.caption(f"{_size(layer.maps)}  \n{_scale(layer.maps, own)}")
            if found:
                with st.popover("Filters", icon=":material/grid_view:", width="stretch"):
                    layer_filters(found)
        with image:
            layer_maps(layer, own)


def layer_maps(layer: LayerMaps, own: bool) -> None:
    """One layer's output as a montage."""
    image = _maps_image(layer.maps, own)
    few = layer.maps.ndim == 1 and len(layer.maps) <= WIDEST
    width = 44 * len(layer.maps) if few else "stretch"
    st.image(image, width=width, alt=f"Output of {name(layer)}")  # type: ignore[arg-type]


def layer_alone(layer: LayerMaps, found: Sequence[Filters], own: bool) -> None:
    """One layer, large, with its filters."""
    with st.container(border=True):
        st.markdown(f"**{name(layer)}**")
        layer_maps(layer, own)
        st.caption(f"{_size(layer.maps)} · {_scale(layer.maps, own)}")
    if found:
        with st.container(border=True):
            st.markdown("**Its filters**")
            layer_filters(found)


def inside(operations: Sequence[LayerMaps], own: bool) -> None:
    """The outputs of the operations that a layer is made of, in their order."""
    if len(operations) < 2:
        return
    with st.container(border=True):
        st.markdown("**Inside the layer**")
        for operation in operations:
            title = operation.title.partition(", ")[2]
            st.caption(f"{title[:1].upper()}{title[1:]} · {_size(operation.maps)} · {_scale(operation.maps, own)}")
            layer_maps(operation, own)


def layer_filters(found: Sequence[Filters]) -> None:
    """The kernels of a layer's convolutions."""
    for kernels in found:
        outputs, inputs, height, width = kernels.weights.shape
        st.image(_filter_image(kernels.weights), width="stretch", alt=f"Filters of {kernels.title}")
        largest = float(np.abs(kernels.weights).max())
        st.caption(
            f"{kernels.title}: {count(outputs, 'filter')} for {count(inputs, 'input map')}, {height} × {width} each"
            f"{_part(outputs, inputs)} · orange −{significant(largest, 2)}, white 0, blue {significant(largest, 2)}"
        )


def _scale(maps: np.ndarray, own: bool) -> str:
    """What the colours mean, and over how much they are normalised."""
    if own and maps.ndim == 3:
        return "each map on its own scale"
    return f"dark {significant(maps.min(), 2)}, light {significant(maps.max(), 2)}".replace("-", "−")


def _size(maps: np.ndarray) -> str:
    if maps.ndim == 1:
        return count(len(maps), "number")
    return f"{count(maps.shape[0], 'map')} of {maps.shape[1]} × {maps.shape[2]}"


def _part(outputs: int, inputs: int) -> str:
    if inputs == 1 or (outputs <= MOST_FILTERS and inputs <= MOST_INPUTS):
        return ""
    return f" (shown: {min(outputs, MOST_FILTERS)} by rows, {min(inputs, MOST_INPUTS)} inputs by columns)"


def _maps_image(maps: np.ndarray, own: bool) -> np.ndarray:
    if maps.ndim == 1:
        return enlarge(montage(maps, scale="sequential"), 44 * min(len(maps), WIDEST))
    return enlarge(montage(maps, columns=columns(len(maps)), scale="sequential", shared=not own), 900)


def columns(maps: int) -> int:
    """Maps a row: as many as fit, in full rows where that is possible."""
    full = [number for number in range(WIDEST // 2, WIDEST + 1) if maps % number == 0]
    return max(full, default=min(maps, WIDEST)) if maps > WIDEST else maps


def _filter_image(weights: np.ndarray) -> np.ndarray:
    """(O, I, h, w) on one scale: a grid of O for a single input, else a row for each of the first O filters."""
    if weights.shape[1] == 1:
        return enlarge(montage(weights[:, 0], scale="diverging"), 420)
    part = weights[:MOST_FILTERS, :MOST_INPUTS]
    return enlarge(montage(part.reshape(-1, *part.shape[2:]), columns=part.shape[1], scale="diverging"), 420)
