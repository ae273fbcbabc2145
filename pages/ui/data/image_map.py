"""A map of the images: points near one another are similar, in their pixels or in what a network makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn_core.data.dataset import SPLITS, ImageDataset
from cnn_core.data.explore.embedding import MOST, Plane, pixel_features, plane, spread_over_classes
from cnn_core.data.explore.statistics import split_names
from cnn_core.runs.tables import Run
from pages.ui.address import query
from pages.ui.data import datasets, sealed
from pages.ui.frame import layout, words
from pages.ui.frame.colours import palette
from pages.ui.frame.errors import errors_shown, plotly_text
from pages.ui.frame.images import gallery
from pages.ui.runs.choosing import learned_from, title, weights_version

if TYPE_CHECKING:
    import plotly.graph_objects as go

PIXELS = ""  # the choice beside the runs
MOST_SHOWN = 60
MOST_NAMED = 30  # classes in the legend; beyond that the pointer names them
MOST_FEATURES = 40_000_000  # numbers kept at once, 160 MB
SYMBOLS = ("circle", "diamond", "cross", "square")  # a second class of the same colour has another shape


def view(dataset: ImageDataset) -> None:
    """The map, and the images of the points that are selected on it."""
    runs = {run.id: run for run in learned_from(dataset.name)}
    with layout.card(
        "Map of the images",
        "Each point is an image, placed by the two directions in which the images "
        "differ most (principal components). Drag a box to see the images in it; the bar above the map "
        "has a lasso and a hand; the wheel zooms.",
    ):
        chosen = query.choose(
            st.selectbox,
            "Alike in",
            [PIXELS, *runs],
            name="run",
            width=420,
            format_func=lambda run_id: f"what a run sees: {title(runs[run_id])}" if run_id else "their pixels",
            help="Pixels, or the numbers that a trained network decides from: the input of its last layer.",
        )
        splits = SPLITS[:2] if sealed.is_sealed(dataset) else SPLITS
        positions, found = _points(dataset, runs.get(chosen), splits)
        split = datasets.of_run(runs[chosen]) if chosen in runs else dataset  # a run may have its own validation images
        st.fragment(_explore)(split, positions, found, f"map:{dataset.name}:{chosen}:{len(positions)}")
    if sealed.is_sealed(dataset):
        sealed.asked(dataset)


def _points(dataset: ImageDataset, run: Run | None, splits: tuple[str, ...]) -> tuple[NDArray[np.int64], Plane]:
    with st.spinner("Placing the images …", show_time=True):
        if run is None:
            return _by_pixels(dataset.content_hash, splits, dataset)
        version = weights_version(run)
        return _by_network(run.id, version, splits, run)


@st.cache_data(max_entries=8, show_spinner=False)
def _by_pixels(content_hash: str, splits: tuple[str, ...], _dataset: ImageDataset) -> tuple[NDArray[np.int64], Plane]:
    positions = spread_over_classes(_dataset, splits)
    return positions, plane(pixel_features(_dataset, positions))


@st.cache_data(max_entries=8, show_spinner=False)
def _by_network(run_id: str, version: str, splits: tuple[str, ...], _run: Run) -> tuple[NDArray[np.int64], Plane]:
    from cnn_core.inspection.activations import penultimate  # loads torch
    from pages.ui.understand.classifiers import classifier

    dataset, network = datasets.of_run(_run), classifier(_run)
    width = penultimate(network.network, network.batches(dataset.images, np.arange(1))).shape[1]
    positions = spread_over_classes(dataset, splits, min(MOST, MOST_FEATURES // width))
    return positions, plane(penultimate(network.network, network.batches(dataset.images, positions)))


@errors_shown()
def _explore(dataset: ImageDataset, positions: NDArray[np.int64], found: Plane, key: str) -> None:
    """The chart and, below it, the images selected on it; redrawn alone when the selection changes.

    Another map has another `key`: what was selected on one means nothing on the other.
    """
    members = [np.flatnonzero(dataset.labels[positions] == label) for label in range(len(dataset.classes))]
    event: Any = st.plotly_chart(
        _figure(dataset, positions, found.points, members),
        key=key,
        on_select="rerun",
        selection_mode=("points", "box", "lasso"),
        config={"scrollZoom": True, "displayModeBar": True, "displaylogo": False, "modeBarButtonsToRemove": SPARE},
        alt="Map of the images, a point each",
    )
    both = sum(found.explained)
    st.caption(
        f"{len(positions):,} images. The two directions hold {words.percent(both, 0)} of what differs between them "
        f"({words.percent(found.explained[0], 0)} across, {words.percent(found.explained[1], 0)} up)."
    )
    points = event["selection"]["points"] if event else []
    places = [members[point["curve_number"]][point["point_index"]] for point in points]
    _selected(dataset, positions[np.array(places, np.int64)])


SPARE = ["zoom2d", "zoomIn2d", "zoomOut2d", "autoScale2d", "toImage"]


def _selected(dataset: ImageDataset, positions: NDArray[np.int64]) -> None:
    positions = positions[sealed.shown(dataset, positions)]
    if not len(positions):
        st.caption(":material/select: Nothing is selected: drag a box around some points to see their images.")
        return
    more = f", {MOST_SHOWN} of them shown" if len(positions) > MOST_SHOWN else ""
    st.markdown(f"**{words.count(len(positions), 'image')} selected**{more}")
    spread = np.linspace(0, len(positions) - 1, min(len(positions), MOST_SHOWN)).astype(int)
    chosen = positions[spread]  # they come class by class: some of each
    splits = split_names(dataset)[chosen]
    names = [dataset.classes[label] for label in dataset.labels[chosen]]
    gallery(list(dataset.images[chosen]), [f"{name} · {split}" for name, split in zip(names, splits, strict=True)])


def _figure(
    dataset: ImageDataset, positions: NDArray[np.int64], points: NDArray[np.float32], members: list[NDArray[np.int64]]
) -> go.Figure:
    """One trace a class, in the order of the labels; drawn by the graphics card."""
    import plotly.graph_objects as go  # 0.2 s that the other views need not wait for

    colours = palette()
    traces = [
        go.Scattergl(
            x=points[inside, 0],
            y=points[inside, 1],
            customdata=positions[inside],
            name=plotly_text(dataset.classes[label]),
            mode="markers",
            marker={
                "size": 5,
                "opacity": 0.65,
                "color": colours[label % len(colours)],
                "symbol": SYMBOLS[label // len(colours) % len(SYMBOLS)],
            },
            hovertemplate="%{fullData.name}<br>image %{customdata}<extra></extra>",
        )
        for label, inside in enumerate(members)
    ]
    hidden = {"visible": False, "showgrid": False, "zeroline": False}
    return go.Figure(traces).update_layout(
        height=560,
        margin={"l": 0, "r": 0, "t": 28, "b": 0},
        dragmode="select",
        xaxis=hidden,
        yaxis=hidden | {"scaleanchor": "x"},
        showlegend=len(members) <= MOST_NAMED,
        legend={"orientation": "h", "yanchor": "top", "y": 0, "itemsizing": "constant"},
    )
