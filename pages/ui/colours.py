"""Colours: the theme's palette, and the one colour a run keeps everywhere."""

from __future__ import annotations

import streamlit as st

GREY = "#64748B"
STATUS = {
    "queued": ("gray", ":material/hourglass_empty:"),
    "starting": ("blue", ":material/rocket_launch:"),
    "running": ("blue", ":material/play_circle:"),
    "paused": ("orange", ":material/pause_circle:"),
    "interrupted": ("orange", ":material/power_off:"),
    "finished": ("green", ":material/check_circle:"),
    "stopped": ("gray", ":material/stop_circle:"),
    "failed": ("red", ":material/error:"),
}


def palette() -> list[str]:
    """The theme's categorical colours, in order."""
    return list(st.get_option("theme.chartCategoricalColors"))


def sequential() -> list[str]:
    return list(st.get_option("theme.chartSequentialColors"))


def run_colour(run_id: str) -> str:
    """Made from the id, so it is the same on every page, in every browser, and after other runs are deleted."""
    colours = palette()
    return colours[int(run_id, 16) % len(colours)]
