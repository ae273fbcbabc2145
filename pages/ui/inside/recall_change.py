"""What an edit of the filters did to accuracy and to the recall of each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from cnn_core.inspection.recall import Comparison, compare
from cnn_core.inspection.surgery import Edit
from pages.ui.charts import figures
from pages.ui.frame import layout, words
from pages.ui.frame.colours import GREY, RIGHT, WRONG, palette
from pages.ui.inside import validation
from pages.ui.inside.look import Look

MARKED = {"rich": {"fell": {"color": WRONG, "fontWeight": "bold"}, "rose": {"color": RIGHT, "fontWeight": "bold"}}}
MOST_CLASSES = 20  # of more, those whose recall changed most
HELP = (
    "Recall: of the images of a class, the fraction predicted as it. Grey is the saved network, colour the edited one."
)


def show(look: Look, edits: tuple[Edit, ...]) -> None:
    """Accuracy and recall on validation images before and after."""
    dataset = validation.usable(look)
    with layout.card("Recall of each class", HELP):
        if dataset is None:
            st.caption(
                "The validation images of this run are not here, so only the prediction for the one image is shown."
            )
            return
        positions = validation.positions(look, dataset)
        before, after = (validation.probabilities(look, dataset, some) for some in ((), edits))
        found = compare(before, after, dataset.labels[positions])
        _facts(found, len(positions), len(dataset.splits["validation"]))
        st.echarts_chart(
            option(found, look.network.classes),
            height=70 + 30 * min(MOST_CLASSES, int((found.images > 0).sum())),
            key="surgery-recall",
            alt="Recall of each class before and after the edits",
        )
        _left_out(found)


def option(found: Comparison, classes: Sequence[str]) -> dict[str, Any]:
    """ECharts option: two bars a class, what fell most at the top."""
    shown = order(found)
    labels = [classes[label] for label in shown]
    before = [_percent(found.recall_before[label]) for label in shown]
    after = [_after(found, int(label)) for label in shown]
    changes = [_mark(float(found.recall_change[label])) for label in shown]
    categories = {"type": "category", "inverse": True, "axisTick": {"show": False}, "axisLine": {"show": False}}
    bars = {"type": "bar", "barWidth": 9, "barGap": "15%"}
    return {
        "animation": False,
        "grid": {"left": 4, "right": 16, "top": 30, "bottom": 4, "containLabel": True},
        "legend": {"top": 0, "left": 0, "data": ["Before", "After"], "selectedMode": False},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}, "valueFormatter": "%.1f%%"},
        "xAxis": {
            "type": "value",
            "min": 0,
            "max": 100,
            "axisLabel": {"formatter": "{value}%"},
            "splitLine": {"lineStyle": {"opacity": 0.35}},
        },
        "yAxis": [
            {"data": labels} | categories,
            {"data": changes, "position": "right", "axisLabel": MARKED} | categories,
        ],
        "series": [
            bars | {"name": "Before", "color": GREY, "data": before},
            bars | {"name": "After", "color": palette()[0], "data": after},
        ],
    }


def order(found: Comparison) -> np.ndarray:
    """int64: classes with images whose recall changed most, the greatest fall first, then by number."""
    present = np.flatnonzero(found.images > 0)
    change = found.recall_change
    most = present[np.argsort(-np.abs(change[present]), kind="stable")][:MOST_CLASSES]
    return np.array(sorted(most, key=lambda label: (change[label], label)), np.int64)


def points(change: float) -> str:
    """A difference of fractions in points with its sign: -0.034 -> "−3.4 points"."""
    return f"{change * 100:+.1f} points".replace("-", "−") if round(change, 9) else "no change"


def _after(found: Comparison, label: int) -> dict[str, Any]:
    change = round(float(found.recall_change[label]), 9)
    colour = palette()[0] if not change else RIGHT if change > 0 else WRONG
    return {"value": _percent(found.recall_after[label]), "itemStyle": {"color": colour}}


def _mark(change: float) -> str:
    """A difference in points in the style of MARKED; nothing where there is none."""
    if not round(change, 9):
        return ""
    return f"{{{'rose' if change > 0 else 'fell'}|{points(change).removesuffix(' points')}}}"


def _percent(share: float) -> float:
    return round(float(share) * 100, 2)


def _facts(found: Comparison, images: int, all_images: int) -> None:
    figures.facts(
        {
            "Accuracy before": words.percent(found.accuracy_before),
            "Accuracy after": words.percent(found.accuracy_after),
            "Difference": points(found.accuracy_change),
            "Validation images": f"{images:,} of {all_images:,}" if images < all_images else f"{images:,}",
        }
    )


def _left_out(found: Comparison) -> None:
    present, classes = int((found.images > 0).sum()), len(found.images)
    notes = [f"{words.count(classes - present, 'class')} without images left out"] if present < classes else []
    if present > MOST_CLASSES:
        notes.append(f"shown are the {MOST_CLASSES} classes of {present} whose recall changed most")
    if notes:
        text = "; ".join(notes)
        st.caption(f"{text[:1].upper()}{text[1:]}.")
