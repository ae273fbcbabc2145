"""Colours: the theme's palette, and the one colour a run keeps everywhere."""

from __future__ import annotations

import streamlit as st

from cnn_core.runs.tables import Run

DULL = "#64748B"  # of the theme's palette: a run in grey looks switched off
GREY, RIGHT, WRONG = "#8A97AB", "#0D9488", "#DC2626"
STATUS = {
    "queued": ("gray", ":material/hourglass_empty:"),
    "starting": ("blue", ":material/rocket_launch:"),
    "running": ("blue", ":material/play_circle:"),
    "paused": ("orange", ":material/pause_circle:"),
    "interrupted": ("orange", ":material/power_off:"),
    "finished": ("green", ":material/check_circle:"),
    "stopped": ("gray", ":material/stop_circle:"),
    "diverged": ("red", ":material/trending_up:"),
    "failed": ("red", ":material/error:"),
}


def palette() -> list[str]:
    """The theme's categorical colours, in order."""
    return list(st.get_option("theme.chartCategoricalColors"))


def run_palette() -> list[str]:
    """The colours that runs have."""
    return [colour for colour in palette() if colour != DULL]


def run_colour(run: Run) -> str:
    """Made from the run's number, so it is the same on every page, in every browser, and after others are deleted."""
    colours = run_palette()
    return colours[(run.number - 1) % len(colours)]
