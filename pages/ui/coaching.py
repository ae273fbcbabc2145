"""What the curves of a run say of it, in a sentence with its evidence and what to try."""

from __future__ import annotations

import streamlit as st

from cnn_core.errors import PlaygroundError
from cnn_core.evaluation.coach import Curves, Finding, curves_by_epoch, diagnose
from cnn_core.runs.tables import Run
from pages.ui import datasets
from pages.ui.curves import Record
from pages.ui.errors import plain

NAMES = {"overfitting": "Overfitting", "underfitting": "Underfitting", "improving": "It was still improving"}
ICONS = {
    "overfitting": ":material/call_split:",
    "underfitting": ":material/trending_flat:",
    "improving": ":material/trending_up:",
}
HELP = (
    "Overfitting: the training loss falls, but the validation loss has risen by 3% or more above its lowest, 3 epochs "
    "ago or earlier, or the training accuracy is above the validation accuracy by more than 3 points and more than "
    "chance explains (two standard errors). Underfitting: the training loss stands still above half of what guessing "
    "costs. Still improving: the last epoch is the best and the validation loss fell by 2% in the last 3 epochs."
)


def notice(run: Run, record: Record) -> None:
    """One box where there is something to say."""
    if run.best_epoch is None or (finding := _finding(run, record)) is None:
        return
    with st.container(border=True, key="coach"):
        text = f"{ICONS[finding.kind]} **{NAMES[finding.kind]}**: {plain(finding.evidence)} {plain(finding.advice)}"
        st.markdown(text, help=HELP)


def _finding(run: Run, record: Record) -> Finding | None:
    curves = _curves(record)
    if len(curves.epochs) < 2:
        return None
    try:
        dataset = datasets.of_run(run)
    except PlaygroundError:  # its images are gone
        return None
    ended = run.status in ("finished", "stopped")
    return diagnose(curves, len(dataset.splits["validation"]), len(dataset.classes), ended)


def _curves(record: Record) -> Curves:
    train, validation = (
        (record.column(kind, "epoch"), record.column(kind, "loss"), record.column(kind, "accuracy"))
        for kind in ("train", "validation")
    )
    return curves_by_epoch(train, validation)
