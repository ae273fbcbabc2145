"""What a network costs: its table, and its totals beside those of the presets."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from cnn_core.errors import PlaygroundError
from cnn_core.models.layer import Shape
from cnn_core.models.presets import network_presets
from cnn_core.models.summary import LayerSummary, Totals, summarise, totals
from cnn_core.models.tree import Layers
from pages.ui.frame.words import compact, percent, size
from pages.ui.frame.words import shape as sizes

MOST_OF_ALL = 0.5  # share of the parameters from which a layer is marked
WARNING = "background-color: #E8590C33"


def totals_card(layers: Layers, shape: Shape, classes: int, works: bool) -> None:
    """Size and cost in three lines, where it works."""
    if not works:
        return
    sums = totals(summarise(layers, shape, classes))
    st.markdown(
        f"**{sums.parameters:,}** parameters ({size(sums.megabytes * 1e6)})  \n"
        f"**{compact(sums.macs)}** multiply-accumulates an image"
    )


def show(layers: Layers, shape: Shape, classes: int, batch_size: int) -> None:
    """One row a layer; then the presets with this network among them."""
    rows = summarise(layers, shape, classes)
    sums = totals(rows)
    frame = pd.DataFrame([_row(row, sums, batch_size) for row in rows])
    shown = frame.style.apply(_warn, axis=1).format(FORMATS)
    st.dataframe(shown, hide_index=True, height="content", column_config=_columns(batch_size), key="network-table")
    heaviest = max(rows, key=lambda row: row.parameters)
    if sums.parameters and heaviest.parameters > MOST_OF_ALL * sums.parameters:
        share = percent(heaviest.parameters / sums.parameters, 0)
        st.caption(f"Layer {heaviest.position + 1}, {heaviest.title}, holds {share} of all parameters.")
    st.markdown("**Beside the presets**, for the same images")
    st.dataframe(_presets(sums, shape, classes), hide_index=True, column_config=PRESETS, key="network-presets")


def _row(row: LayerSummary, sums: Totals, batch_size: int) -> dict[str, Any]:
    field = f"{row.receptive_field} px" if row.receptive_field else "whole image"
    return {
        "#": row.position + 1,
        "Layer": f"{row.title} {row.detail}".strip(),
        "Output": sizes(row.output_shape),
        "Parameters": row.parameters,
        "Share": row.parameters / max(1, sums.parameters),
        "MACs": row.macs,
        "Activations": row.numbers * 4 * batch_size / 1e6,
        "Receptive field": field,
    }


def _warn(row: Any) -> list[str]:
    heavy = row["Share"] > MOST_OF_ALL
    return [WARNING if heavy and name in ("Layer", "Parameters", "Share") else "" for name in row.index]


FORMATS: dict[Any, Any] = {"Parameters": "{:,}", "MACs": "{:,}", "Share": "{:.1%}", "Activations": "{:,.1f} MB"}


def _columns(batch_size: int) -> dict[str, Any]:
    return {
        "#": st.column_config.NumberColumn(width=40),
        "Output": st.column_config.TextColumn(help="Maps × height × width, or a row of numbers, for one image."),
        "Parameters": st.column_config.NumberColumn(help="Numbers this layer learns."),
        "Share": st.column_config.NumberColumn(help="Of all parameters."),
        "MACs": st.column_config.NumberColumn(help="Multiply-accumulates for one image."),
        "Activations": st.column_config.NumberColumn(
            help=f"Memory of what its operations make of a batch of {batch_size}, in float32: training keeps it."
        ),
        "Receptive field": st.column_config.TextColumn(
            help="Side of the window of the image that one output depends on."
        ),
    }


def _presets(own: Totals, shape: Shape, classes: int) -> pd.DataFrame:
    found = [("This network", own)]
    for name in network_presets.names():
        preset = network_presets.get(name)
        try:
            found.append((preset.title, totals(summarise(preset.layers, shape, classes))))
        except PlaygroundError:  # made for larger images
            continue
    found.sort(key=lambda item: item[1].parameters)
    return pd.DataFrame(
        [{"Network": title, "Parameters": sums.parameters, "MACs": sums.macs} for title, sums in found]
    ).assign(This=lambda frame: frame["Network"].eq("This network"))


PRESETS = {
    "Parameters": st.column_config.ProgressColumn(format="localized", min_value=0, max_value=400_000),
    "MACs": st.column_config.NumberColumn(format="localized"),
    "This": None,
}
