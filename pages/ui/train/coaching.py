"""What the curves of a run say of it, in a sentence with its evidence and what to try."""

from __future__ import annotations

import streamlit as st

from cnn_core.errors import PlaygroundError
from cnn_core.evaluation.coach import Curves, Facts, Finding, curves_by_epoch, diagnose
from cnn_core.models.presets import layers_of
from cnn_core.runs.tables import Run
from pages.ui.charts.curves import Record
from pages.ui.data import datasets
from pages.ui.frame.errors import plain

NAMES = {
    "exploded": "No better than guessing",
    "overfitting": "Overfitting",
    "bounded": "The last layer limits the loss",
    "underfitting": "Underfitting",
    "improving": "It was still improving",
}
ICONS = {
    "exploded": ":material/error:",
    "overfitting": ":material/call_split:",
    "bounded": ":material/vertical_align_bottom:",
    "underfitting": ":material/trending_flat:",
    "improving": ":material/trending_up:",
}
HELP = (
    "No better than guessing: the validation accuracy is within chance (two standard errors) of 1 / classes, and a "
    "loss is above 1.25 times that of guessing, ln(classes). Overfitting: the training loss falls, but the validation "
    "loss has risen above its lowest, 3 epochs ago or earlier, by 3%, by 0.01 and by two standard errors of the "
    "validation accuracy or more; or the training accuracy is above the validation accuracy by more than 3 points "
    "and more than chance explains. Underfitting: the training loss stands still above half of that of guessing. Still "
    "improving: the last epoch is the best and the validation loss fell by 2% in the last 3 epochs."
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
    if not len(curves.epochs):
        return None
    try:
        return diagnose(curves, _facts(run, record))
    except PlaygroundError:  # its images or its recipe are gone
        return None


def _facts(run: Run, record: Record) -> Facts:
    """Raises a PlaygroundError where the images or the recipe are gone."""
    dataset, recipe, training = datasets.of_run(run), run.recipe, run.recipe.training
    kinds = [layer.kind for layer in layers_of(recipe.network)]
    return Facts(
        classes=len(dataset.classes),
        validation_images=len(dataset.splits["validation"]),
        last_layer=kinds[-1] if kinds else "",
        optimiser=training.optimiser,
        learning_rate=max(training.learning_rate, *(change.new for change in record.changes), 0.0),
        weight_decay=training.weight_decay,
        augmented=bool(recipe.augment),
        dropout="dropout" in kinds,
        ended=run.status in ("finished", "stopped"),
    )


def _curves(record: Record) -> Curves:
    train, validation = (
        (record.column(kind, "epoch"), record.column(kind, "loss"), record.column(kind, "accuracy"))
        for kind in ("train", "validation")
    )
    return curves_by_epoch(train, validation)
