"""Label safety on a page: what changes a trained network's answers, and the images behind it; loads torch."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
import streamlit as st

from cnn_core.data.augmentation.steps import Mixing, augmentations, read_steps
from cnn_core.data.dataset import ImageDataset
from cnn_core.data.explore.statistics import sample
from cnn_core.evaluation.label_safety import STRENGTHS, LabelSafety, kinds_to_try, label_safety
from cnn_core.jobs.tasks.task import Task
from cnn_core.jobs.tasks.try_augmentations import IMAGES, RESULT, TryRequest, read_result, tries_of
from cnn_core.recipe import AugmentSpec, Recipe
from cnn_core.runs.store import store
from cnn_core.runs.tables import Run
from pages.ui.address import query
from pages.ui.address.recipe import query_of
from pages.ui.data import datasets
from pages.ui.frame import tasks, words
from pages.ui.frame.errors import errors_shown, plain, show_error
from pages.ui.frame.images import data_uri, strip
from pages.ui.runs.choosing import learned_from, title, weights_version
from pages.ui.understand.classifiers import classifier

ALARM = 0.05  # share of changed predictions that calls for a look


@st.cache_resource(max_entries=8, show_spinner=False)
def _own(run_id: str, version: str) -> dict[tuple[AugmentSpec, ...], float]:
    """The last steps of a page -> fraction of changed predictions. Shared by all sessions."""
    return {}


def section(recipe: Recipe) -> None:
    """Choose a run on the same images, try everything on it, look at what changes."""
    runs = _best_first(learned_from(recipe.data.dataset))
    if not runs:
        st.markdown(
            "A trained network shows where: if a change alters its prediction, the label may no longer be true."
        )
        st.page_link(
            "pages/train.py",
            label="Train one on these images first",
            icon=":material/play_circle:",
            query_params=query_of(recipe),
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        run = _pick(runs)
        task = tries_of(run.id, weights_version(run))
        if query.asked("tried") and task.state() is None:  # a link, or weights that were written again
            task.start(TryRequest(run=run.id))
        state = task.state()
        under_way_or_done = state is not None and (state.busy or state.result is not None)
        st.button(
            "Try every augmentation on it",
            icon=":material/rule:",
            key="safety:try",
            on_click=_try_all,
            args=(task, run.id),
            disabled=bool(query.asked("tried")) and under_way_or_done,
        )
    if not query.asked("tried") or state is None:
        return
    if state.error:
        show_error(state.error)
    elif state.busy:
        tasks.watch(task)
    elif state.result is not None:
        _results(run, recipe, _loaded(task.file(RESULT)))


def _try_all(task: Task[TryRequest], run_id: str) -> None:
    """Begin, unless somebody has it tried already, or did."""
    query.put(tried="yes")
    state = task.state()
    if state is None or state.result is None:
        with errors_shown():
            task.start(TryRequest(run=run_id))


@st.cache_resource(max_entries=8, show_spinner=False)
def _loaded(file: Path) -> LabelSafety:
    return read_result(file)


def _best_first(runs: Sequence[Run]) -> dict[str, Run]:
    """The run that errs least on test images first; of equals the newest."""
    return {run.id: run for run in sorted(runs, key=lambda run: -(run.test_accuracy or 0))}


def _pick(runs: dict[str, Run]) -> Run:
    """A select box of runs, tied to ?run=; the best by default, also after a change of the data set."""
    wanted = query.asked("run")
    if wanted not in runs and any(run.id == wanted for run in store().runs()):
        query.put(run=None)
    chosen = query.choose(
        st.selectbox,
        "Run",
        list(runs),
        name="run",
        format_func=lambda run_id: title(runs[run_id]),
        help="The run with the highest accuracy on the test images first: the better a network is, the more its "
        "changed predictions mean.",
    )
    query.put(run=chosen)
    return runs[chosen]


def _results(run: Run, recipe: Recipe, result: LabelSafety) -> None:
    dataset = datasets.of_run(run)
    kinds = kinds_to_try(dataset.shape[0])
    chosen = sample(dataset, "validation", None, IMAGES)
    names = [kind.kind for kind in kinds]
    _how_good(result)
    changed = result.changed.reshape(len(kinds), len(STRENGTHS))
    _own_steps(run, recipe, dataset, chosen)
    heat, classes = st.columns([1, 1], gap="medium")
    with heat:
        st.html(_heat_map([kind.title for kind in kinds], changed))
    with classes, st.container(horizontal=True):
        worst_first = [names[n] for n in np.argsort(-np.nan_to_num(changed[:, 1]), kind="stable")]
        name = query.choose(
            st.selectbox,
            "Augmentation",
            worst_first,
            name="kind",
            format_func=lambda kind: augmentations.get(kind).title,
        )
        percents = [round(100 * strength) for strength in STRENGTHS]
        percent = query.choose(
            st.segmented_control, "Strength", percents, name="strength", default=50, format_func=lambda p: f"{p}%"
        )
    place = names.index(name) * len(STRENGTHS)
    with classes:
        rows = result.per_class[place : place + len(STRENGTHS)].T
        st.html(_heat_map([str(title) for title in dataset.classes], rows))
    place += percents.index(percent)
    _verdict(result, place, dataset, f"{augmentations.get(name).title} at {percent}% strength")
    _worst(result, place, dataset, chosen)


def _own_steps(run: Run, recipe: Recipe, dataset: ImageDataset, chosen: np.ndarray) -> None:
    """One sentence on the steps chosen above, as they were when the button was pressed or the page opened."""
    steps = [step for step in read_steps(recipe.augment) if not isinstance(step, Mixing)]
    if not steps:
        return
    known = _own(run.id, weights_version(run))
    share = known.get(recipe.augment)
    if share is None:
        images, labels = np.asarray(dataset.images[chosen]), dataset.labels[chosen]
        share = float(label_safety(images, labels, len(dataset.classes), classifier(run).classify, [steps]).changed[0])
        known.clear()
        known[recipe.augment] = share
    titles = ", then ".join(step.title for step in steps)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"Your steps ({titles}) change the prediction for **{_percent(share)}** of the images it gets right."
        )
        st.button("Try them as they are now", icon=":material/refresh:", key="safety:own", type="tertiary")


def _how_good(result: LabelSafety) -> None:
    """The network's error on the images as they are, beside which all that follows has to be read."""
    count = len(result.correct)
    if result.weak:
        st.info(
            f"This network is wrong on {words.percent(result.error)} of the {count} validation images as they are; the "
            "result says little about the labels. Choose a better run, or train one for longer.",
            icon=":material/info:",
        )
    else:
        st.markdown(
            f"Without augmentation this network is wrong on **{words.percent(result.error)}** of {count} validation "
            "images. The numbers below are about the others, which it gets right."
        )


def _verdict(result: LabelSafety, place: int, dataset: ImageDataset, what: str) -> None:
    """What one try changes; an alarm only of a network that is good enough to raise one."""
    share, by_class = float(result.changed[place]), np.nan_to_num(result.per_class[place])
    if np.isnan(share):
        return
    hardest = int(by_class.argmax())
    sentence = plain(
        f"{what} changes the prediction for {words.percent(share)} of the images it gets right, most often for "
        f"{dataset.classes[hardest]} ({words.percent(float(by_class[hardest]), 0)})."
    )
    if result.weak:
        st.markdown(sentence)
    elif share > ALARM:
        st.warning(
            f"{sentence} Look at the images: where you can still tell what it is, the network has something to "
            "learn from this; where you cannot, or would say something else (a flipped W is an M, a rotated 6 is a 9), "
            "it teaches a wrong label.",
            icon=":material/warning:",
        )
    else:
        st.success(f"{sentence} As far as this network can tell, the labels stay true.", icon=":material/check_circle:")


def _percent(share: float) -> str:
    return words.percent(None if np.isnan(share) else share)


def _worst(result: LabelSafety, place: int, dataset: ImageDataset, chosen: np.ndarray) -> None:
    """The images that lost most, before and after, with both answers."""
    figures = []
    for number, after, then, confidence in zip(
        result.worst[place],
        result.changed_images[place],
        result.predicted_after[place],
        result.confidence_after[place],
        strict=True,
    ):
        before = np.asarray(dataset.images[chosen[number]])
        pair = data_uri(strip(np.stack([before, after]), 2, gap=max(1, before.shape[-1] // 16)))
        first, second = (dataset.classes[label] for label in (result.predicted[number], then))
        answer = f"{first} → {second}" if first != second else f"still {first}"
        left = f"{words.percent(float(result.confidence[number]), 0)} → {words.percent(float(confidence), 0)} {first}"
        figures.append(
            f'<figure><img alt="before and after" src="{pair}"><figcaption><b>{escape(answer)}</b><br>{escape(left)}'
            "</figcaption></figure>"
        )
    st.html(f'<div class="cnn-gallery cnn-pairs">{"".join(figures)}</div>')


def _heat_map(names: list[str], fractions: np.ndarray) -> str:
    """Rows of names against the strengths: the share of changed predictions, dark where it is large."""
    head = "".join(f"<th>{strength:.0%}</th>" for strength in STRENGTHS)
    rows = "".join(
        f"<tr><td>{escape(name)}</td>{''.join(_cell(float(share)) for share in row)}</tr>"
        for name, row in zip(names, fractions, strict=True)
    )
    return f'<div class="cnn-heat"><table><tr><th>strength</th>{head}</tr>{rows}</table></div>'


def _cell(share: float) -> str:
    if np.isnan(share):
        return "<td>–</td>"
    return f'<td style="--share:{100 * share:.0f}%">{share:.0%}</td>'
