"""A kernel painted by hand, cell by cell: with a pointer, a finger or the keyboard."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn_core.inspection.montage import DIVERGING

Values = tuple[tuple[float, ...], ...]

HTML = """
<div class="brushes" role="group" aria-label="Value of the brush"></div>
<div class="grid" role="group" aria-label="Kernel"></div>
<p>Choose a value, then click or drag over the cells. By keyboard: arrows move, Enter paints, + and − change, 0 clears.
<button class="clear" type="button">Clear all</button></p>
"""
CSS = """
.brushes { display: flex; gap: .35rem; margin-bottom: .6rem; }
button {
  font: inherit; font-size: .8125rem; font-variant-numeric: tabular-nums; cursor: pointer; padding: 0;
  border: 1px solid var(--st-border-color); border-radius: .4rem;
}
button:focus-visible { outline: 3px solid var(--st-primary-color); outline-offset: 1px; }
.brushes button { min-width: 2.75rem; height: 2.25rem; }
.brushes button[aria-pressed=true] { outline: 2px solid var(--st-text-color); outline-offset: 2px; }
.grid {
  display: grid; gap: 3px; width: min(100%, calc(var(--side) * 3.5rem));
  grid-template-columns: repeat(var(--side), 1fr); touch-action: none; user-select: none;
}
.grid button { aspect-ratio: 1; min-width: 0; }
p { font-family: var(--st-font); font-size: .8125rem; color: var(--st-text-color); opacity: .8; margin: .6rem 0 0; }
.clear {
  padding: .15rem .5rem; margin-left: .25rem; color: var(--st-text-color); background: var(--st-background-color);
}
"""
_paint = st.components.v2.component(
    "kernel_paint", html=HTML, css=CSS, js=Path(__file__).with_suffix(".js").read_text("utf-8")
)


def kernel_paint(start: NDArray[np.floating], key: str) -> Values:
    """What was painted, rows of values in -1…1. `start`: a square kernel, what it begins with, on a scale on which its
    largest value by size is 1 or -1. Another `key` begins anew."""
    largest = float(np.abs(start).max()) or 1.0
    begin = [round(float(value) / largest, 2) for value in start.ravel()]
    state = st.session_state.get(key)
    values = _flat(state["values"] if state and "values" in state else None, begin)
    result = _paint(
        key=key,
        data={"side": len(start), "values": values, "colours": DIVERGING},
        default={"values": begin},
        on_values_change=lambda: None,
    )
    return rows(result.get("values"), begin)


def rows(values: object, start: Sequence[float]) -> Values:
    """Values from a browser as rows of a square kernel, in -1…1; `start` where they are not as many finite numbers."""
    flat = _flat(values, start)
    side = math.isqrt(len(flat))
    return tuple(tuple(flat[at : at + side]) for at in range(0, len(flat), side))


def _flat(values: object, start: Sequence[float]) -> list[float]:
    if not isinstance(values, list) or len(values) != len(start):
        return list(start)
    if not all(isinstance(value, int | float) and -1e9 < value < 1e9 for value in values):
        return list(start)
    return [min(1.0, max(-1.0, float(value))) for value in values]
