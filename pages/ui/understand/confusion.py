"""The confusion matrix as a heat map whose digits are legible in every cell and theme."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.ui.frame.colours import palette
from pages.ui.frame.errors import plotly_text

if TYPE_CHECKING:
    import plotly.graph_objects as go

DIGITS = ("#000000", "#FFFFFF")
MOST_NUMBERED = 20  # classes; the cells of more are too small for digits
MOST_LETTERS = 16  # of a name on an axis; the tooltip of a cell has all of it
MOST_TICKS = 20


def confusion_matrix(confusion: np.ndarray, classes: Sequence[str], cell: tuple[int, int]) -> None:
    """Heat map of true (rows) against predicted (columns), shaded by the fraction of the row; `cell` is framed,
    or its whole row where the predicted class is negative."""
    figure = _figure(confusion, classes, cell, sequential())
    st.plotly_chart(figure, width="stretch", config={"displayModeBar": False}, key="confusion", alt="Confusion matrix")


def sequential() -> list[str]:
    """The theme's colours from 0 to 1, of the light or the dark theme, whichever is shown."""
    dark = st.context.theme.type == "dark"
    return list(
        (dark and st.get_option("theme.dark.chartSequentialColors")) or st.get_option("theme.chartSequentialColors")
    )


def digit_colours(fractions: NDArray[np.float64], scale: Sequence[str]) -> NDArray[np.str_]:
    """Black or white for each cell of `fractions` (0..1) on `scale`, whichever contrasts more (WCAG 2)."""
    stops = np.array([[int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)] for colour in scale])
    places = np.linspace(0, 1, len(stops))
    cells = np.stack([np.interp(fractions, places, channel) for channel in stops.T], axis=-1)
    bright = luminance(cells)
    return np.where((bright + 0.05) / 0.05 >= 1.05 / (bright + 0.05), *DIGITS)


def luminance(colours: NDArray[np.float64]) -> NDArray[np.float64]:
    """Relative luminance (WCAG 2) of sRGB colours 0..1 (…, 3)."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def shortened(name: str, letters: int = MOST_LETTERS) -> str:
    """A name of at most that many letters, the middle of a longer one left out."""
    end = (letters - 1) // 2
    return name if len(name) <= letters else f"{name[: letters - 1 - end]}…{name[-end:]}"


def _figure(confusion: np.ndarray, classes: Sequence[str], cell: tuple[int, int], scale: list[str]) -> go.Figure:
    import plotly.graph_objects as go  # 0.2 s that the other pages need not wait for

    names = [plotly_text(name) for name in classes]
    fractions = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    few, places = len(names) <= MOST_NUMBERED, np.linspace(0, 1, len(scale)).tolist()
    heat = go.Heatmap(
        z=fractions,
        customdata=confusion,
        x=names,
        y=names,
        zmin=0,
        zmax=1,
        colorscale=list(zip(places, scale, strict=True)),
        showscale=False,
        xgap=1,
        ygap=1,
        hovertemplate="true %{y}<br>predicted %{x}<br>%{customdata} images, %{z:.1%} of this class<extra></extra>",
    )
    digits = _digits(confusion, digit_colours(fractions, scale), names) if few else []
    true, predicted = cell
    left, right = (predicted, predicted) if predicted >= 0 else (0, len(names) - 1)
    frame = {
        "type": "rect",
        "x0": left - 0.5,
        "x1": right + 0.5,
        "y0": true - 0.5,
        "y1": true + 0.5,
        "line": {"color": palette()[1], "width": 3},
    }
    figure = go.Figure([heat, *digits]).update_layout(
        height=460 if few else 640,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        shapes=[frame],
        dragmode=False,
        showlegend=False,
    )
    every = -(-len(names) // MOST_TICKS)
    labels = [plotly_text(shortened(name)) for name in classes[::every]]
    axis = {
        "type": "category",
        "ticks": "",
        "tickmode": "array",
        "tickvals": names[::every],
        "ticktext": labels,
        "tickfont": {"size": 11},
    }
    figure.update_yaxes(autorange="reversed", title={"text": "true", "standoff": 12}, **axis)
    figure.update_xaxes(title="predicted", tickangle=-40, **axis)
    return figure


def _digits(confusion: np.ndarray, colours: NDArray[np.str_], names: list[str]) -> list[go.Scatter]:
    """The numbers of the cells: one trace a colour, as a heat map has one colour for all of its text."""
    import plotly.graph_objects as go

    traces = []
    for colour in DIGITS:
        rows, columns = np.nonzero(colours == colour)
        traces.append(
            go.Scatter(
                x=[names[column] for column in columns],
                y=[names[row] for row in rows],
                text=[str(number) for number in confusion[rows, columns]],
                mode="text",
                textfont={"color": colour, "size": 12},
                hoverinfo="skip",
            )
        )
    return traces
