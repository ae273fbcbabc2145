"""Histograms in the theme's colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.ui.frame.colours import GREY, palette

BINS = 40
GRID = {"left": 4, "right": 14, "top": 30, "bottom": 24, "containLabel": True}
FAINT = {"splitLine": {"lineStyle": {"opacity": 0.35}}}


def values(counts: NDArray[np.int64], names: Sequence[str]) -> None:
    """Counts (C, 256) of pixel values as one area a channel, on a logarithmic scale: one value is often half of all."""
    colours = palette()
    shades = (colours[6], colours[7], colours[0]) if len(names) == 3 else (GREY,)
    fractions = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    series = [
        {
            "name": name,
            "type": "line",
            "step": "middle",
            "symbol": "none",
            "color": shade,
            "lineStyle": {"width": 1.2},
            "areaStyle": {"opacity": 0.18 if len(names) == 1 else 0},
            "data": [float(f"{share:.3g}") if share else None for share in channel],
        }
        for name, shade, channel in zip(names, shades, fractions, strict=True)
    ]
    option: dict[str, Any] = {
        "animation": False,
        "grid": GRID,
        "tooltip": {"trigger": "axis", "valueFormatter": "%.3g%%"},
        "legend": {"top": 0, "right": 0, "icon": "roundRect"} if len(names) > 1 else {"show": False},
        "xAxis": {
            "type": "category",
            "data": list(range(256)),
            "boundaryGap": False,
            "axisLabel": {"interval": 31},
            "axisTick": {"show": False},
            "name": "value of a pixel",
            "nameLocation": "middle",
            "nameGap": 24,
        },
        "yAxis": FAINT | {"type": "log", "axisLabel": {"formatter": "{value}%"}},
        "series": series,
    }
    st.echarts_chart(option, height=260, key="values", alt="Histogram of pixel values")


def spread(amounts: NDArray[Any], low: float, high: float, name: str) -> None:
    """A histogram of one number an image; what lies outside `low` to `high` is marked."""
    counts, edges = np.histogram(amounts, BINS)
    colours = palette()
    bars = [
        {
            "value": int(count),
            "itemStyle": {"color": colours[1] if right < low or left > high else colours[0]},
        }
        for count, left, right in zip(counts, edges, edges[1:], strict=False)
    ]
    digits = 0 if edges[-1] - edges[0] > BINS else 2
    middles = [f"{middle:.{digits}f}" for middle in (edges[:-1] + edges[1:]) / 2]
    option: dict[str, Any] = {
        "animation": False,
        "grid": GRID | {"top": 8},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}, "valueFormatter": "localized"},
        "xAxis": {
            "type": "category",
            "data": middles,
            "axisTick": {"show": False},
            "name": name,
            "nameLocation": "middle",
            "nameGap": 24,
        },
        "yAxis": FAINT | {"type": "value"},
        "series": [{"name": "images", "type": "bar", "barCategoryGap": "8%", "data": bars}],
    }
    st.echarts_chart(option, height=180, key=f"spread-{name}", alt=f"Histogram of {name}")
