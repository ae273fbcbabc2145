"""Evaluate: what a run gets right and wrong on the test images, class by class and image by image."""

import streamlit as st

from cnn_core.evaluation.metrics import evaluate
from cnn_core.runs.folder import MISSING_PREDICTIONS, RunFolder
from pages.ui.charts import figures
from pages.ui.data import datasets, sealed
from pages.ui.frame import layout, words
from pages.ui.frame.errors import needed, plain
from pages.ui.runs.choosing import pick_run, require_runs
from pages.ui.runs.records import shared
from pages.ui.train import coaching
from pages.ui.understand import evaluation
from pages.ui.understand.confusion import confusion_matrix

layout.title("Evaluate", "The weights of the best epoch on test images that neither training nor that choice has seen.")
run = pick_run(require_runs())
dataset = datasets.of_run(run)
with needed():
    predictions = RunFolder(run.id).predictions()
if predictions is None:
    untested = run.message or "This run has not been tested."
    st.info(plain(untested if run.test_accuracy is None else MISSING_PREDICTIONS))
    st.stop()
evaluation.ended_early(run)
result = evaluate(predictions, dataset.classes)

with st.container(border=True):
    wrong = int(result.confusion.sum() - result.confusion.trace())
    figures.facts(
        {
            "Test accuracy": words.percent(result.accuracy, 2),
            "Test loss": words.number(result.loss),
            "Wrong": f"{wrong:,} of {len(predictions.labels):,}",
            evaluation.macro_name(result): words.percent(result.macro.f1, 2),
            "Weighted F1": words.percent(result.weighted.f1, 2),
        }
    )

shared(run.id).expire()
shared(run.id).look()
coaching.notice(run, shared(run.id).record)

table, matrix = st.columns(2)
with table, layout.card("Class by class", "Select a row to see the mistakes in that class."):
    clicked = evaluation.class_table(result)
true, predicted = evaluation.chosen_cell(result, clicked)
with (
    matrix,
    layout.card(
        "Confusion",
        "Rows are what it is, columns what the network says; shade is the share of the "
        "row. The framed cell is shown below.",
    ),
):
    confusion_matrix(result.confusion, dataset.classes, (true, predicted))
with layout.card("The images of one cell", "The most confident first: these are the mistakes worth a look."):
    evaluation.cell_choice(dataset.classes, true, predicted)
    if not sealed.asked(dataset):
        evaluation.cell_images(dataset, predictions, true, predicted)
