"""Figures: live curves, comparison, class balance, confusion, bars and facts. All take their colours from the theme."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import streamlit as st

from cnn_core.runs.tables import Change, Run
from pages.ui.charts.comparing import labels, line_styles
from pages.ui.charts.curves import Points, Record, curves
from pages.ui.charts.loss_axis import highest_shown
from pages.ui.frame.colours import GREY, RIGHT, WRONG, palette, run_colour
from pages.ui.frame.images import svg_uri
from pages.ui.frame.words import label

if TYPE_CHECKING:
    import pandas as pd

Option = dict[str, Any]
STROKE = "path://M0,6h24v3h-24z"
MOST_MARKS = 20  # changes of the learning rate on one curve
LABEL_WIDTH = 0.2  # of a label, as a fraction of a chart's width
BEST_LABEL = {"loss": "top", "accuracy": "bottom"}
QUANTITIES = {"loss": (1.0, "%.3f", "{value}"), "accuracy": (100.0, "%.2f%%", "{value}%")}  # factor, tooltip, axis


def run_curves(run: Run, options: Mapping[str, Option]) -> None:
    """Loss and accuracy of one run in two charts that update in place; the best epoch is marked."""
    for place, quantity in zip(st.columns(2), QUANTITIES, strict=True):
        with place, st.container(border=True):
            st.markdown(f"**{label(quantity)}**", help=HELP[quantity])
            st.echarts_chart(options[quantity], height=270, key=f"{quantity}-{run.id}")


def compare_curves(records: Mapping[str, Record], runs: Sequence[Run]) -> None:
    """The curves of several runs on the same axes, each run in its colour."""
    _key(runs)
    for place, quantity in zip(st.columns(2), QUANTITIES, strict=True):
        with place, st.container(border=True):
            st.markdown(f"**{label(quantity)}**", help=HELP[quantity])
            st.echarts_chart(compare_option(runs, records, quantity), height=340, key=f"compare-{quantity}")


HELP = {
    "loss": "Mean cross-entropy in nats: how improbable the network finds the right class. Pale: training, as measured "
    "while its weights change. With dots: validation at the end of each epoch, on images it never learns from. Where a "
    "loss explodes the axis ends above the ordinary ones, and the curve leaves the chart at the top.",
    "accuracy": "Fraction of images whose most probable class is the right one. Training may lag behind validation: "
    "its images are augmented and its weights are older.",
}


def curve_option(run: Run, record: Record, quantity: str) -> Option:
    """ECharts option; at most about 15 KiB as JSON."""
    raw, mean, validation = (_scaled(points, quantity) for points in curves(record, quantity))
    colour = run_colour(run)
    best = {
        "symbol": "circle",
        "symbolSize": 14,
        "itemStyle": {"color": "transparent", "borderColor": colour, "borderWidth": 2},
        "label": {"show": True, "position": BEST_LABEL[quantity], "formatter": "best", "color": colour},
        "data": [{"coord": point} for point in validation if run.best_epoch == round(point[0], 3)],
    }
    span = _span(run, max((point[0] for point in raw + validation), default=0.0))
    (marks,) = _rate_marks([record], [colour], span)
    frame = _frame(quantity, span, [raw + validation])
    frame["xAxis"] |= {"name": "epoch" if span == run.epochs else f"epoch, {run.epochs:,} are planned"}
    return frame | {
        "series": [
            _line("Training, each report", raw, colour, width=1, opacity=0.3),
            _line("Training", mean, colour, opacity=0.65),
            _line("Validation", validation, colour, width=2.5, dots=True) | {"markPoint": best, "markLine": marks},
        ],
        "legend": {"data": [{"name": "Training", "icon": STROKE}, {"name": "Validation"}], "top": 0, "right": 0},
    }


def _span(run: Run, reached: float) -> int:
    """Epochs on the axis: fewer than are planned while the curve would fill less than half of it."""
    steps = (decade * digit for decade in (1, 10, 100) for digit in (1, 2, 5))
    return next((step for step in steps if reached <= step <= run.epochs / 2), run.epochs)


def compare_option(runs: Sequence[Run], records: Mapping[str, Record], quantity: str) -> Option:
    """ECharts option; colours, dashes and names are those of the key above the charts."""
    series: list[Option] = []
    drawn: list[Points] = []
    styles, names = line_styles(runs), labels(runs)
    epochs = max((run.epochs for run in runs), default=1)
    all_marks = _rate_marks([records[run.id] for run in runs], [styles[run.id][0] for run in runs], epochs)
    for run, marks in zip(runs, all_marks, strict=True):
        _, mean, validation = (_scaled(points, quantity) for points in curves(records[run.id], quantity))
        drawn.append(mean + validation)
        name, (colour, dash) = names[run.id], styles[run.id]
        series.append(_line(name, mean[:: max(1, len(mean) // 80)], colour, width=1.5, opacity=0.6, dash=dash))
        series.append(_line(name, validation, colour, dots=True, dash=dash) | {"markLine": marks})
    option = _frame(quantity, epochs, drawn)
    return option | {
        "series": series,
        "grid": option["grid"] | {"top": 14},
        "tooltip": {"trigger": "item", "valueFormatter": QUANTITIES[quantity][1]},
    }


def _key(runs: Sequence[Run]) -> None:
    """Each run's line with its label, whole however long it is."""
    styles, names = line_styles(runs), labels(runs)
    items = "".join(
        f'<span><i style="border-top:3px {styles[run.id][1]} {styles[run.id][0]}"></i>{escape(names[run.id])}</span>'
        for run in runs
    )
    st.html(f'<div class="cnn-key">{items}</div>')


def _rate_marks(records: Sequence[Record], colours: Sequence[str], epochs: int) -> list[Option]:
    """For each run vertical lines where a person changed the learning rate, of many the last ones; the new rate above
    it, of all those that stand close together the last."""
    changes = [record.changes[-MOST_MARKS:] for record in records]
    spots = sorted((change.epoch, run, place) for run, some in enumerate(changes) for place, change in enumerate(some))
    ends = [*(spot[0] for spot in spots[1:]), math.inf]
    alone = {spot[1:] for spot, end in zip(spots, ends, strict=False) if end - spot[0] > epochs * LABEL_WIDTH}
    return [
        {
            "symbol": "none",
            "lineStyle": {"color": colour, "type": "dotted", "width": 1.5},
            "label": {"color": colour, "position": "end", "fontSize": 11},
            "tooltip": {"show": False},
            "data": [_rate_mark(change, (run, place) in alone) for place, change in enumerate(changes[run])],
        }
        for run, colour in enumerate(colours)
    ]


def _rate_mark(change: Change, labelled: bool) -> Option:
    label = {"show": labelled, "formatter": f"rate {change.new:.3g}"}
    return {"xAxis": float(f"{change.epoch:.5g}"), "label": label}


def _frame(quantity: str, epochs: int, drawn: Sequence[Points]) -> Option:
    """Axes for the points of each run."""
    top = highest_shown(drawn) if quantity == "loss" else None
    axis = {"type": "value", "splitLine": {"lineStyle": {"opacity": 0.35}}}
    return {
        "animation": False,
        "grid": {"left": 4, "right": 14, "top": 34, "bottom": 22, "containLabel": True},
        "tooltip": {"trigger": "axis", "valueFormatter": QUANTITIES[quantity][1]},
        "xAxis": axis | {"name": "epoch", "nameLocation": "middle", "nameGap": 24, "min": 0, "max": epochs},
        "yAxis": axis | {"scale": True, "max": top, "axisLabel": {"formatter": QUANTITIES[quantity][2]}},
    }


def _line(
    name: str,
    points: Points,
    colour: str,
    width: float = 2,
    opacity: float = 1,
    dots: bool = False,
    dash: str = "solid",
) -> Option:
    return {
        "name": name,
        "type": "line",
        "data": points,
        "showSymbol": dots or len(points) < 3,  # a line of one point would be invisible
        "symbol": "circle",
        "symbolSize": 6,
        "color": colour,
        "lineStyle": {"width": width, "opacity": opacity, "type": dash},
    }


def _scaled(points: Points, quantity: str) -> Points:
    factor = QUANTITIES[quantity][0]
    return [[x, float(f"{y * factor:.4g}")] for x, y in points]


def class_balance(counts: pd.DataFrame) -> None:
    """Stacked bars of images per class (rows) and split (columns)."""
    classes, shades = [str(name) for name in counts.index], [palette()[0], palette()[1], palette()[5]]
    series = [
        {"name": label(str(split)), "type": "bar", "stack": "all", "color": shade, "data": counts[split].tolist()}
        for split, shade in zip(counts.columns, shades, strict=False)
    ]
    option = {
        "animation": False,
        "grid": {"left": 4, "right": 14, "top": 34, "bottom": 4, "containLabel": True},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}, "valueFormatter": "localized"},
        "legend": {"top": 0, "right": 0},
        "xAxis": {"type": "value", "splitLine": {"lineStyle": {"opacity": 0.35}}},
        "yAxis": {"type": "category", "data": classes, "inverse": True, "axisTick": {"show": False}},
        "series": series,
    }
    st.echarts_chart(option, height=max(220, 50 + 24 * len(classes)), key="class-balance", alt="Images per class")


def bars(fractions: Mapping[str, float], right: str | None = None) -> None:
    """Horizontal bars of probabilities, largest first. Where the `right` class is known, hits and misses show."""
    rows = []
    for position, (name, share) in enumerate(fractions.items()):
        sign, colour = "", GREY if position else palette()[0]
        if right is not None and (position == 0 or name == right):
            sign, colour = (" ✓", RIGHT) if name == right else (" ✗", WRONG)
        rows.append(
            f'<span>{escape(name)}{sign}</span><span class="track"><i style="width:{share * 100:.1f}%;'
            f'background:{colour}"></i></span><span class="share">{share * 100:.1f}%</span>'
        )
    st.html(f'<div class="cnn-bars">{"".join(rows)}</div>')


def facts(values: Mapping[str, str]) -> None:
    """A few numbers with their names, side by side as far as they fit."""
    items = "".join(f"<div><span>{escape(name)}</span><b>{escape(value)}</b></div>" for name, value in values.items())
    st.html(f'<div class="cnn-facts">{items}</div>')


def spark(values: Sequence[float], colour: str) -> None:
    """A small curve without axes, from left to right."""
    if len(values) < 2:
        values = [0.0, 0.0]
    low, high = min(values), max(values)
    spread = (high - low) or 1.0
    step = 200 / (len(values) - 1)
    points = " ".join(f"{i * step:.1f},{40 - 36 * (value - low) / spread:.1f}" for i, value in enumerate(values))
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 44" preserveAspectRatio="none"><polyline '
        f'points="{points}" fill="none" stroke="{colour}" stroke-width="2" vector-effect="non-scaling-stroke"/></svg>'
    )
    st.html(f'<img class="cnn-spark" alt="" src="{svg_uri(drawing)}">')
