"""The Runs page: the table of runs, renaming, deleting and comparing them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from cnn_core.jobs.queue import delete, rename
from cnn_core.models.presets import title_of
from cnn_core.recipe import diff
from cnn_core.runs.tables import Run
from pages.ui.address import query
from pages.ui.charts.comparing import choice_text, choices, labels, line_styles
from pages.ui.frame import words
from pages.ui.frame.colours import run_colour
from pages.ui.frame.errors import errors_shown, plain
from pages.ui.runs import circumstances
from pages.ui.runs.choosing import results_of

MOST_COMPARED = 8
DRAWN = "runs drawn"  # in the session: the runs and the ticks that the table last stood for, and the table's number
UNREADABLE = "The recipe cannot be read"


def table(runs: Sequence[Run]) -> list[Run]:
    """All runs, newest first; returns the ticked ones. Which are ticked is in the address."""
    key = _key(runs)
    frame = pd.DataFrame([_row(run) for run in runs])
    ticked = _asked(runs)
    shown = line_styles(ticked[:MOST_COMPARED] or latest_finished(runs))
    colours = [f"color: {shown[run.id][0] if run.id in shown else run_colour(run)}; font-size: 1.4em" for run in runs]
    places = [place for place, run in enumerate(runs) if run in ticked]
    st.dataframe(
        frame.style.apply(lambda _: colours, subset=[""]),
        hide_index=True,
        height=min(38 + 35 * len(runs), 420),
        column_config={
            "": st.column_config.TextColumn(width=30, help="The run's colour in every chart."),
            "#": st.column_config.NumberColumn(width=40, help="Runs are numbered in the order they were made."),
            "Test accuracy": st.column_config.ProgressColumn(format="%.2f%%", min_value=0, max_value=100),
            "Validation accuracy": st.column_config.NumberColumn(format="%.2f%%"),
            "Started": st.column_config.DatetimeColumn(format="distance"),
            "Epoch": st.column_config.NumberColumn(format="%.1f"),
        },
        on_select=lambda: _ticked(key, runs),
        selection_mode="multi-row",
        placeholder="–",
        selection_default={"selection": {"rows": places}},
        key=key,
    )
    return ticked[:MOST_COMPARED]


def _asked(runs: Sequence[Run]) -> list[Run]:
    """The runs that the address names."""
    wanted = query.asked("runs").split(",")
    return [run for run in runs if run.id in wanted]


def _key(runs: Sequence[Run]) -> str:
    """A table knows its ticks by position only. Where other runs stand there now, or the address names other ones than
    were ticked, another table takes its place: ticked are the runs of the address."""
    drawn = ([run.id for run in runs], query.asked("runs"))
    last, number = st.session_state.get(DRAWN, (drawn, 0))
    number += last != drawn
    st.session_state[DRAWN] = (drawn, number)
    return f"runs:{number}"


def actions(ticked: Sequence[Run]) -> bool:
    """What can be done with the ticked runs. Returns whether it asks a question, which a redrawn page would close."""
    asking = False
    if not ticked:
        return asking
    with st.container(horizontal=True, vertical_alignment="center"):
        if len(ticked) == 1:
            _rename(ticked[0])
        if st.button("Delete", icon=":material/delete:"):
            _confirm(ticked)
            asking = True
        if len(ticked) == 1:
            results_of(ticked[0], OPEN)
    return asking


def _rename(run: Run) -> None:
    """A form, so that Enter saves; what is saved closes it."""
    popover, field = f"rename:{run.id}", f"name:{run.id}"
    with (
        st.popover("Rename", icon=":material/edit:", key=popover, on_change="rerun"),
        st.form(f"form:{run.id}", border=False),
    ):
        st.text_input("New name", run.name, key=field)
        st.form_submit_button("Save", type="primary", on_click=_save_name, args=(run.id, popover, field))


@errors_shown()
def _save_name(run_id: str, popover: str, field: str) -> None:
    rename(run_id, st.session_state[field])
    st.session_state[popover] = False
    st.toast("Saved.", icon=":material/check:")


def latest_finished(runs: Sequence[Run]) -> list[Run]:
    return [run for run in runs if run.status == "finished"][:2]


def recipe_differences(runs: Sequence[Run]) -> None:
    """The fields in which the recipes differ, and what else the results depend on and differs."""
    if unread := [run.name for run in runs if not run.known_recipe]:
        st.caption(plain(f"Cannot be compared, because a recipe cannot be read: {', '.join(unread)}."))
        return
    changed = {name for run in runs[1:] for name, _, _ in diff(runs[0].recipe, run.recipe)}
    flat = [choices(run.recipe) | {"network.preset": title_of(run.recipe.network)} for run in runs]
    differing = {name for name in changed if any(values[name] is not None for values in flat)}
    if len({values["network.preset"] for values in flat}) > 1:  # own layers of one preset and its own
        differing.add("network.preset")
    rows = {words.label(name): _texts(name, [values[name] for values in flat]) for name in flat[0] if name in differing}
    elsewhere = circumstances.differing(runs)
    if not differing:
        st.caption(circumstances.ELSEWHERE if elsewhere else circumstances.SAME)
    if rows := rows | elsewhere:
        frame = pd.DataFrame(list(rows.values()), index=list(rows), columns=list(labels(runs).values()))
        st.dataframe(frame, height="content", key="differences")


def _row(run: Run) -> dict[str, Any]:
    recipe = run.known_recipe
    return {
        "": "●",
        "#": run.number,
        "Name": run.name,
        "Status": run.status,
        "Test accuracy": _hundredths(run.test_accuracy),
        "Validation accuracy": _hundredths(run.validation_accuracy),
        "Network": title_of(recipe.network) if recipe else UNREADABLE,
        "Data": _shown("data.dataset", recipe.data.dataset) if recipe else UNREADABLE,
        "Epoch": run.epoch,
        "Time": words.duration(run.seconds) if run.seconds else "–",
        "Started": pd.Timestamp(run.created, unit="s", tz="UTC"),
    }


def _hundredths(share: float | None) -> float | None:
    return None if share is None else share * 100


def _ticked(key: str, runs: Sequence[Run]) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    query.put(runs=",".join(runs[place].id for place in rows if place < len(runs)))
    _, number = st.session_state[DRAWN]
    st.session_state[DRAWN] = (([run.id for run in runs], query.asked("runs")), number)


@st.dialog("Delete for good?", icon=":material/delete:", on_dismiss="rerun")
def _confirm(runs: Sequence[Run]) -> None:
    st.markdown("\n".join(f"- {plain(run.name)}" for run in runs))
    st.caption("Their curves, weights and predictions go too. A run that is being trained stops.")
    if st.button(f"Delete {words.count(len(runs), 'run')}", type="primary", icon=":material/delete:"):
        for run in runs:
            delete(run.id)
        query.put(runs=None)
        st.rerun()


def _texts(name: str, values: Sequence[Any]) -> list[str]:
    """A field's value in each run; of lists of parts with the same kinds only the parts that differ."""
    kinds = [[part["kind"] for part in value] if isinstance(value, list) else None for value in values]
    if kinds[0] is None or any(other != kinds[0] for other in kinds):
        return [_shown(name, value) for value in values]
    return [_parts(value, values) for value in values]


def _parts(value: list[dict[str, Any]], values: Sequence[list[dict[str, Any]]]) -> str:
    """Such as "3 Conv: channels 32": place, kind and the parameters in which it differs."""
    texts = []
    for place, part in enumerate(value):
        others = [other[place] for other in values]
        names = dict.fromkeys(name for other in others for name in other if len({str(o.get(name)) for o in others}) > 1)
        parameters = ", ".join(f"{words.label(name).lower()} {words.value(part.get(name, '–'))}" for name in names)
        texts += [f"{place + 1} {words.label(part['kind'])}: {parameters}"] if parameters else []
    return "; ".join(texts)


def _shown(name: str, value: Any) -> str:
    """A recipe's value for people: titles for names of things, the kinds for a list of parts."""
    if not isinstance(value, list):
        return choice_text(name, value)
    kinds = [words.label(part["kind"]) for part in value]
    if len(kinds) <= 4:
        return ", ".join(kinds) or "None"
    return f"{words.count(len(kinds), 'layer')}: {', '.join(kinds[:3])}, …"


OPEN = {
    "train": ("Open", ":material/play_circle:"),
    "evaluate": ("Evaluate", ":material/fact_check:"),
    "inside": ("Inside", ":material/layers:"),
    "classify": ("Classify", ":material/image_search:"),
}
