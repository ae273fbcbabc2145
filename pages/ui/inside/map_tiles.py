"""The output maps of a layer as small tiles, one of them chosen."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn_core.inspection.montage import balanced_columns, montage
from pages.ui.frame.images import data_uri

CSS = """
.tiles { display: grid; gap: .35rem; grid-template-columns: repeat(auto-fill, minmax(2.9rem, 1fr)); }
button {
  padding: 0; border: 2px solid transparent; border-radius: .4rem; cursor: pointer; background: none;
  color: var(--st-text-color); font-family: var(--st-font); font-size: .6875rem; line-height: 1.4;
}
button i {
  display: block; aspect-ratio: 1; border-radius: .25rem; image-rendering: pixelated;
  box-shadow: 0 0 0 1px rgba(127, 137, 155, .35);
}
button:hover { border-color: var(--st-border-color); }
button[aria-pressed=true] { border-color: var(--st-primary-color); font-weight: 700; }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
button.edited span::after { content: " ✎"; }
"""
_tiles = st.components.v2.component(
    "map_tiles",
    html='<div class="tiles" role="group" aria-label="Maps of the layer"></div>',
    css=CSS,
    js=Path(__file__).with_suffix(".js").read_text("utf-8"),
)


def map_tiles(
    maps: NDArray[np.float32],
    units: Sequence[int],
    labels: Sequence[str],
    chosen: int,
    edited: Collection[int],
    key: str,
    choose: Callable[[int], None],
) -> None:
    """Tiles in the order of `units`, each with its label; `choose` is called with the number of the one clicked.

    `maps`: float32 (C, H, W), or (F,) drawn as one cell each. Orange is below zero, blue above: a map of more than one
    value on a scale of its own, single values on one scale."""
    images = maps[units] if maps.ndim == 3 else maps[units].reshape(-1, 1, 1)
    columns = balanced_columns(len(units))
    sprite = montage(images, columns, "diverging", shared=maps.ndim == 1, gap=0)
    _tiles(
        key=key,
        data={
            "sprite": data_uri(sprite, fast=True),
            "columns": columns,
            "units": list(units),
            "labels": list(labels),
            "chosen": chosen,
            "edited": sorted(edited),
        },
        on_unit_change=lambda: _clicked(key, len(maps), choose),
    )


def _clicked(key: str, maps: int, choose: Callable[[int], None]) -> None:
    """A number from a browser is one of the maps, or means nothing."""
    unit = st.session_state[key].get("unit")
    if isinstance(unit, int | float) and unit in range(maps):
        choose(int(unit))
