"""Likely label mistakes, found by a run, and what a person decides about each."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn_core.data.dataset import ImageDataset
from cnn_core.data.explore.statistics import split_names
from cnn_core.evaluation.label_mistakes import Suspects, label_mistakes
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.tables import Run
from pages.ui.address import query
from pages.ui.data import datasets, sealed, versions
from pages.ui.data.versions import Decisions
from pages.ui.frame import layout, words
from pages.ui.frame.errors import plain
from pages.ui.frame.images import data_uri, pixels
from pages.ui.runs.choosing import learned_from, title, weights_version

PER_PAGE = 10
KEEP, REMOVE = -1, -2  # a decision that is no class


def view(dataset: ImageDataset) -> None:
    """The suspects of a run, a row each, and the button that makes a version with the decisions."""
    runs = {run.id: run for run in learned_from(dataset.name)}
    with layout.card(
        "Likely label mistakes",
        "Confident learning (Northcutt, Jiang and Chuang 2021): another class "
        "is at least as probable as it usually is for images that have its label.",
    ):
        if not runs:
            _no_run(dataset)
            return
        chosen = query.choose(
            st.selectbox,
            "Found by",
            list(runs),
            name="run",
            width=420,
            clears=["page"],
            format_func=lambda run_id: title(runs[run_id]),
            help="The better a network is, the more of its suggestions are right.",
        )
        positions, suspects = _suspects(dataset, runs[chosen])
        decisions = versions.decisions(dataset)
        found, looked = len(suspects.rows), len(positions)
        st.markdown(f"**{found:,}** of {looked:,} images that this run did not learn from are likely mislabelled.")
        _new_version(dataset, decisions)
    if found:
        _rows(dataset, split_names(datasets.of_run(runs[chosen])), positions, suspects, decisions)
    sealed.asked(dataset)


def _no_run(dataset: ImageDataset) -> None:
    st.markdown("A network that has learned from this data set can say where it disagrees with a label.")
    query = {"data.dataset": dataset.name}
    st.page_link("pages/train.py", label="Train one", icon=":material/play_circle:", query_params=query)


def _suspects(dataset: ImageDataset, run: Run) -> tuple[NDArray[np.int64], Suspects]:
    """Positions that were looked at, and the suspects among them; those the network finds likelier as labelled, not."""
    with st.spinner("Predicting …", show_time=True):
        version = weights_version(run)
        positions, probabilities = _probabilities(run.id, version, not sealed.is_sealed(dataset), run)
    found = label_mistakes(dataset.labels[positions], probabilities)
    return positions, found.first(int((found.margin > 0).sum()))


@st.cache_data(max_entries=8, show_spinner=False)
def _probabilities(
    run_id: str, version: str, with_test: bool, _run: Run
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Positions of the images the run did not learn from, and its probabilities for them."""
    from pages.ui.understand.classifiers import classifier  # loads torch

    dataset = datasets.of_run(_run)
    held_out = dataset.splits["validation"]
    probabilities = classifier(_run).classify_many(dataset.images, held_out)
    tested = RunFolder(run_id).predictions() if with_test else None
    if tested is None:
        return held_out, probabilities
    return np.concatenate([held_out, tested.indices]), np.concatenate([probabilities, tested.probabilities])


def _new_version(dataset: ImageDataset, decisions: Decisions) -> None:
    """The button with the number of changes so far."""
    removed = [position for position, decision in decisions.items() if decision == REMOVE]
    relabelled = {position: decision for position, decision in decisions.items() if decision >= 0}
    changes = len(removed) + len(relabelled)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            f"Make a new version with {words.count(changes, 'change')}",
            type="primary",
            key="make-version",
            icon=":material/library_add:",
            disabled=not changes,
        ):
            versions.make(dataset, removed, relabelled)
        if changes and st.button("Forget them", icon=":material/undo:", key="forget"):
            decisions.clear()
            st.rerun()
    st.caption("This version stays as it is, with the runs that used it; the new one is opened.")


def _rows(
    dataset: ImageDataset,
    splits: NDArray[np.str_],
    positions: NDArray[np.int64],
    suspects: Suspects,
    decisions: Decisions,
) -> None:
    page = query.turn_pages(-(-len(suspects.rows) // PER_PAGE))
    shown = range(len(suspects.rows))[(page - 1) * PER_PAGE : page * PER_PAGE]
    chosen = {int(positions[suspects.rows[place]]): int(suspects.suggested[place]) for place in shown}
    if st.button(f"Take the {words.count(len(chosen), 'suggestion')} below", icon=":material/done_all:", key="take"):
        decisions.update(chosen)
        st.rerun()
    for place in shown:
        position = int(positions[suspects.rows[place]])
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            image = data_uri(pixels(np.asarray(dataset.images[position])))
            st.html(f'<img class="cnn-tile" alt="Image {position}" src="{image}">', width="content")
            label, other = (dataset.classes[values[place]] for values in (suspects.given, suspects.suggested))
            st.markdown(
                f"labelled **{plain(label)}**  \npredicted **{plain(other)}** "
                f"{words.percent(float(suspects.probability[place]), 0)}  \n"
                f":small[image {position}, {splits[position]}]",
                width=190,
            )
            _decide(dataset, position, int(suspects.suggested[place]), decisions)


def _decide(dataset: ImageDataset, position: int, suggested: int, decisions: Decisions) -> None:
    """A choice of what the image is; kept when the page is turned."""
    key, given = f"decision:{dataset.name}:{position}", int(dataset.labels[position])
    others = [label for label in range(len(dataset.classes)) if label not in (given, suggested)]
    names = {KEEP: f"Keep {dataset.classes[given]}", REMOVE: "Remove the image"}
    st.session_state[key] = decisions.get(position, KEEP)
    st.selectbox(
        "What to do",
        [KEEP, suggested, REMOVE, *others],
        key=key,
        label_visibility="collapsed",
        width=240,
        format_func=lambda option: names.get(option) or f"It is {dataset.classes[option]}",
        on_change=_decided,
        args=(decisions, position, key),
    )


def _decided(decisions: Decisions, position: int, key: str) -> None:
    decision = st.session_state[key]
    if decision == KEEP:
        decisions.pop(position, None)
    else:
        decisions[position] = decision
