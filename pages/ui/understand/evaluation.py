"""The parts of the Evaluate page: the class table, the choice of a confusion cell, and its images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from cnn_core.data.dataset import ImageDataset
from cnn_core.evaluation.metrics import Evaluation, Means, cell
from cnn_core.runs.folder import Predictions
from cnn_core.runs.tables import Run
from pages.ui.address import query
from pages.ui.frame import words
from pages.ui.frame.colours import STATUS
from pages.ui.frame.errors import plain
from pages.ui.frame.images import gallery

MOST_IMAGES = 60
UNDEFINED = "–"
EVERY = -1  # "predicted": all wrong classes together
HELP = {
    "precision": "Precision: of the images predicted as this class, the fraction that are. – where none was.",
    "recall": "Of the images of this class, the fraction predicted as it. – where the test images have none.",
    "f1": "Harmonic mean of precision and recall: low when either is. – where both are undefined.",
}


def ended_early(run: Run) -> None:
    """Say of a run that did not train to its end when it ended, and which weights were tested."""
    if run.status in ("stopped", "diverged"):
        st.info(
            f"This run {'was stopped' if run.status == 'stopped' else 'diverged'} after {run.epoch:.1f} of "
            f"{words.count(run.epochs, 'epoch')}: the weights of its best epoch, {run.best_epoch}, were tested.",
            icon=STATUS[run.status][1],
        )


def class_table(result: Evaluation) -> int | None:
    """Precision, recall, F1 and support, and their means. Returns the class whose row is selected.

    The columns up to F1 fit beside each other on a phone: 326 px, 34 of them for the boxes that select.
    """
    count = int(result.per_class["support"].sum())
    means = [_mean_row("Macro mean", result.macro, count), _mean_row("Weighted mean", result.weighted, count)]
    frame = pd.concat([result.per_class, pd.DataFrame(means)], ignore_index=True)
    frame[list(HELP)] *= 100
    event = st.dataframe(
        frame,
        hide_index=True,
        height=min(38 + 35 * len(frame), 480),
        column_config={
            "class": st.column_config.TextColumn("Class", width=88),
            "precision": st.column_config.NumberColumn("Prec.", help=HELP["precision"], format="%.2f%%", width=68),
            "recall": st.column_config.NumberColumn("Recall", help=HELP["recall"], format="%.2f%%", width=68),
            "f1": st.column_config.NumberColumn("F1", help=HELP["f1"], format="%.2f%%", width=68),
            "support": st.column_config.NumberColumn("Images"),
        },
        on_select=_row_selected,
        selection_mode="single-row",
        placeholder=UNDEFINED,
        key="class-table",
    )
    if note := undefined_note(result):
        st.caption(plain(note))
    rows = event["selection"]["rows"] if event else []
    return rows[0] if rows and rows[0] < len(result.per_class) else None


def undefined_note(result: Evaluation) -> str:
    """Which classes have undefined numbers, and over how many classes the macro means are taken; "" for none."""
    table, classes = result.per_class, len(result.per_class)
    never, absent = table["class"][table["precision"].isna()], table["class"][table["recall"].isna()]
    if never.empty and absent.empty:
        return ""
    reasons = [f"never predicted: {', '.join(never)}"] * (not never.empty)
    reasons += [f"without test images: {', '.join(absent)}"] * (not absent.empty)
    counts = ", ".join(f"{words.label(name)} over {count}" for name, count in result.defined.items())
    return f"{UNDEFINED} is undefined ({'; '.join(reasons)}). Means leave those out: {counts} of {classes} classes."


def macro_name(result: Evaluation) -> str:
    """The name of macro F1, with the number of classes averaged where that is not all of them."""
    counted, classes = result.defined["f1"], len(result.per_class)
    return "Macro F1" if counted == classes else f"Macro F1 ({counted} of {classes} classes)"


def chosen_cell(result: Evaluation, clicked: int | None) -> tuple[int, int]:
    """The cell of the address; else all mistakes of the selected class; else the pair most often confused."""
    classes = len(result.confusion)
    wrong = result.confusion - np.diag(np.diag(result.confusion))
    true, predicted = (int(place) for place in np.unravel_index(wrong.argmax(), wrong.shape))
    if clicked is not None:
        true, predicted = clicked, EVERY
    known = {str(number) for number in range(classes)}
    if query.asked("true") in known and query.asked("predicted") in known | {str(EVERY)}:
        true, predicted = int(query.asked("true")), int(query.asked("predicted"))
    return true, predicted


def cell_choice(classes: Sequence[str], true: int, predicted: int) -> None:
    """Two select boxes that name the cell."""
    numbers = list(range(len(classes)))
    with st.container(horizontal=True):
        for name, value, options in (("true", true, numbers), ("predicted", predicted, [EVERY, *numbers])):
            st.session_state[f"cell:{name}"] = value
            st.selectbox(
                "It is" if name == "true" else "Predicted class",
                options,
                format_func=lambda number: classes[number] if number >= 0 else "anything else",
                key=f"cell:{name}",
                on_change=_cell_chosen,
            )


def cell_images(dataset: ImageDataset, predictions: Predictions, true: int, predicted: int) -> None:
    """The images of a cell, the most confident first."""
    positions = _positions(predictions, true, predicted, len(dataset.classes))
    confidence = predictions.probabilities.max(axis=1)
    if not len(positions):
        st.info("No test image is in this cell.", icon=":material/thumb_up:")
        return
    truth, called = dataset.classes[true], dataset.classes[predicted] if predicted >= 0 else "something else"
    sign = ":green[:material/check_circle:]" if true == predicted else ":red[:material/cancel:]"
    more = f", the first {MOST_IMAGES} shown" if len(positions) > MOST_IMAGES else ""
    st.markdown(f"{sign} {words.count(len(positions), 'image')} of **{plain(truth)}** called **{plain(called)}**{more}")
    shown = positions[:MOST_IMAGES]
    names = [dataset.classes[number] for number in predictions.predicted[shown]]
    captions = [f"{name} {words.percent(share, 0)}" for name, share in zip(names, confidence[shown], strict=True)]
    gallery(list(dataset.images[predictions.indices[shown]]), captions)


def _positions(predictions: Predictions, true: int, predicted: int, classes: int) -> np.ndarray:
    if predicted != EVERY:
        return cell(predictions, true, predicted)
    wrong = np.concatenate([cell(predictions, true, other) for other in range(classes) if other != true])
    return wrong[np.argsort(-predictions.probabilities[wrong].max(axis=1), kind="stable")]


def _mean_row(name: str, means: Means, support: int) -> dict[str, object]:
    row = {"class": name, "precision": means.precision, "recall": means.recall, "f1": means.f1, "support": support}
    return row


def _row_selected() -> None:
    """A newly selected row wins over the cell of the address."""
    query.put(true=None, predicted=None)


def _cell_chosen() -> None:
    query.put(true=st.session_state["cell:true"], predicted=st.session_state["cell:predicted"])
