"""A network as an image and as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import pandas as pd
import streamlit as st

from cnn_core.models.layer import Shape
from cnn_core.models.summary import LayerSummary, totals
from pages.ui.frame.words import compact, shape, size

TALL = 104.0  # CSS pixels of a block as high as the image
CONVOLUTION, LINEAR, POOL, PLAIN = "#2563EB", "#7C3AED", "#E8590C", "#64748B"
NORM, ACTIVATION = "#CA8A04", "#0D9488"
COLOURS = {"linear": LINEAR} | dict.fromkeys(
    ("conv", "residual", "depthwise", "pointwise", "depthwise_separable", "repeat", "branches", "backbone"), CONVOLUTION
)
SLICES = (
    dict.fromkeys(("batch_norm", "group_norm", "layer_norm"), NORM)
    | dict.fromkeys(("dropout", "dropout2d"), PLAIN)
    | dict.fromkeys(
        ("relu", "leaky_relu", "sigmoid", "tanh", "gelu", "silu", "hardswish", "elu", "softmax"), ACTIVATION
    )
)
SHORT = {"conv": "Conv", "depthwise_separable": "Separable", "depthwise": "Depthwise", "pointwise": "Conv 1×1"}
SKETCH = (176.0, 44.0)  # width and height in CSS pixels


def network_image(rows: Sequence[LayerSummary], input_shape: Shape) -> None:
    """Blocks from left to right: height is the side of the maps, width the number of them. A thin line is a layer
    that works on each number alone: activations green, batch norm yellow, dropout grey."""
    side = input_shape[1]
    blocks = [_block("Image", "The image that comes in", PLAIN, False, input_shape, side)]
    for row in rows:
        tooltip = f"{row.title} {row.detail}".strip()
        if row.kind in SLICES:
            style = f"height:{_height(row.output_shape, side):.0f}px;background:{SLICES[row.kind]}"
            blocks.append(f'<div class="slice" title="{escape(tooltip)}" style="{style}"></div>')
        else:
            blocks.append(_block(_short(row), tooltip, _colour(row), row.parameters > 0, row.output_shape, side))
    st.html(f'<div class="cnn-network">{"".join(blocks)}</div>')


def network_table(rows: Sequence[LayerSummary]) -> None:
    """One row a layer, with what it costs and its receptive field."""
    frame = pd.DataFrame(
        {
            "#": [row.position + 1 for row in rows],
            "Layer": [f"{row.title} {row.detail}".strip() for row in rows],
            "Output": [shape(row.output_shape) for row in rows],
            "Parameters": [row.parameters for row in rows],
            "MACs": [row.macs for row in rows],
            "Receptive field": [f"{row.receptive_field} px" if row.receptive_field else "whole image" for row in rows],
        }
    )
    columns = {
        "#": st.column_config.NumberColumn(width=40),
        "Output": st.column_config.TextColumn(help="Maps × height × width, or a row of numbers, for one image."),
        "Parameters": st.column_config.NumberColumn(help="Numbers this layer learns.", format="localized"),
        "MACs": st.column_config.NumberColumn(help="Multiply-accumulates for one image.", format="localized"),
        "Receptive field": st.column_config.TextColumn(
            help="Side of the window of the image that one output depends on."
        ),
    }
    st.dataframe(frame, hide_index=True, column_config=columns, height="content", key="network-table")


def network_sentence(rows: Sequence[LayerSummary]) -> str:
    """Size and cost in a few words."""
    sums = totals(rows)
    return (
        f"{len(rows)} layers · {sums.parameters:,} parameters ({size(sums.megabytes * 1e6)}) · "
        f"{compact(sums.macs)} multiply-accumulates an image"
    )


def network_sketch(rows: Sequence[LayerSummary], input_shape: Shape) -> str:
    """A small drawing without words, as SVG: the same blocks in the same proportions, made to fit."""
    side, sizes = input_shape[1], [(PLAIN, *_proportions(input_shape, input_shape[1]))]
    for row in rows:
        width, height = _proportions(row.output_shape, side)
        thin = row.kind in SLICES
        sizes.append((SLICES[row.kind] if thin else _colour(row), 3.0 if thin else width, height))
    gap = 5.0
    scale = min(1.0, (SKETCH[0] - 2) / (sum(width for _, width, _ in sizes) + gap * (len(sizes) - 1)))
    drawn, left = [], 1.0
    for colour, width, height in sizes:
        tall = height / TALL * (SKETCH[1] - 2)
        drawn.append(
            f'<rect x="{left:.1f}" y="{SKETCH[1] - 1 - tall:.1f}" width="{max(0.8, width * scale):.1f}" '
            f'height="{tall:.1f}" rx="{min(2.0, width * scale / 3):.1f}" fill="{colour}"/>'
        )
        left += (width + gap) * scale
    view = f"0 0 {left - gap * scale + 1:.1f} {SKETCH[1]:.0f}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}">{"".join(drawn)}</svg>'


def _block(name: str, tooltip: str, colour: str, learns: bool, output: Shape, side: int) -> str:
    """One layer: maps stand on a common floor, a row of numbers is a thin column."""
    width, height = _proportions(output, side)
    size = f"height:{height:.0f}px;width:{width:.0f}px"
    sizes = "×".join(map(str, output))
    return (
        f'<div class="layer" title="{escape(tooltip)}: {sizes}"><i class="{"learns" if learns else ""}" '
        f'style="{size};--shade:{colour}"></i><b>{escape(name)}</b><small>{sizes}</small></div>'
    )


def _proportions(output: Shape, side: int) -> tuple[float, float]:
    """Width and height of a block in CSS pixels."""
    return (6 + 5 * math.log2(output[0] + 1) if len(output) == 3 else 8), _height(output, side)


def _colour(row: LayerSummary) -> str:
    return COLOURS.get(row.kind, POOL if "pool" in row.kind else PLAIN)


def _height(output: Shape, side: int) -> float:
    """CSS pixels: in proportion for maps, by the logarithm for a row of numbers."""
    height = TALL * output[1] / side if len(output) == 3 else 10 + 8 * math.log2(max(output))
    return min(TALL, max(6.0, height))


def _short(row: LayerSummary) -> str:
    return SHORT.get(row.kind, "Pool" if "pool" in row.kind else row.title.split(" ")[0])
