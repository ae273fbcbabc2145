"""Runs on pages: choosing one, its badge, its card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store
from cnn_core.runs.tables import LIVE, RESUMABLE, TESTED, Run
from pages.ui.address import query
from pages.ui.charts.curves import Record, curves
from pages.ui.charts.figures import spark
from pages.ui.frame import words
from pages.ui.frame.colours import STATUS, run_colour
from pages.ui.frame.errors import errors_shown, needed, plain
from pages.ui.frame.layout import links, nothing_yet
from pages.ui.runs.records import SLOW

MOST_LINKS = 3
QUICK = 2.0  # seconds between two looks at the list of runs while one is live
ON_SHOW = "run on show"  # in the session: the run that travels along when another page is opened from the menu
WITH_WEIGHTS = (*TESTED, *RESUMABLE, *LIVE, "failed")


def require_runs(statuses: Sequence[str] = TESTED) -> dict[str, Run]:
    """Runs that have got this far, the newest first. Ends the page with an image and a way on when there is none."""
    runs = {run.id: run for run in store().runs() if run.status in statuses and run.best_epoch and run.known_recipe}
    if not runs:
        if wanted := query.asked("run"):
            _explain(wanted)
        nothing_yet("No network has learned anything here yet.")
        st.stop()
    return runs


def learned_from(dataset: str) -> list[Run]:
    """Tested runs that learned from a data set, the newest first."""
    return [
        run
        for run in store().runs()
        if run.status in TESTED and run.best_epoch and run.known_recipe and run.known_recipe.data.dataset == dataset
    ]


def on_show() -> str:
    """Id of the run that the address names, else of the one that was on show last, else "": the menu opens a page
    without an address. A run that was deleted since is forgotten, with a sentence."""
    if wanted := query.asked("run"):
        return wanted
    last = str(st.session_state.get(ON_SHOW, ""))
    if not last or last in store().statuses():
        return last
    st.session_state.pop(ON_SHOW)
    st.info("The run that was on show before has been deleted.", icon=":material/delete:")
    return ""


def keep_on_show(run: Run) -> None:
    """Note that this run is on show, for the pages that are opened from the menu."""
    st.session_state[ON_SHOW] = run.id


def pick_run(runs: dict[str, Run]) -> Run:
    """A select box of runs, tied to ?run=; by default the run that was on show last, else the first of them.

    Where the address names a run that has not got this far the page ends below the box: no other run's results stand
    under its address. Where the one on show has not, another is shown, but that one goes on travelling along.
    """
    wanted, key = on_show(), "choice:run"
    if wanted and wanted not in runs:
        _explain(wanted)
    early = query.asked("run") not in runs and query.asked("run") in store().statuses()
    st.session_state[key] = wanted if wanted in runs else None if early else next(iter(runs))
    chosen = st.selectbox(
        "Run",
        list(runs),
        format_func=lambda run_id: title(runs[run_id]),
        key=key,
        on_change=_run_chosen,
        placeholder="Choose another run",
        help="The latest run first, with its accuracy on the test images.",
    )
    if chosen is None:
        watch()  # it may get this far
        st.stop()
    if query.asked("run") or wanted in ("", chosen):
        query.put(run=chosen)
        keep_on_show(runs[chosen])
    return runs[chosen]


def weights_version(run: Run, epoch: int | None = None) -> str:
    """Of the weights of an epoch, None for the best: what is made of them is kept until they are written again.
    Where they are damaged the page ends with a sentence."""
    with needed():
        return RunFolder(run.id).weights_version(epoch, run.best_epoch)


def title(run: Run) -> str:
    """A run in one line, for choices; first what tells it apart, as a box may be too narrow for all."""
    accuracy = [words.percent(run.test_accuracy, 2)] if run.test_accuracy is not None else []
    return " · ".join([f"#{run.number}", *accuracy, run.name, words.ago(run.created)])


def badge(run: Run) -> None:
    colour, icon = STATUS[run.status]
    st.badge(run.status, icon=icon, color=colour)  # type: ignore[arg-type]


def card(run: Run) -> None:
    """A recent run: name, status, what it learned, its accuracy as a small curve, and a way to open it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(run.name)}** :gray[#{run.number}]")
        badge(run)
    spark(_accuracies(run.id, run.step), run_colour(run))
    st.caption(f"{summary(run)} · {words.ago(run.created)}")
    page, text = ("train", "Watch") if run.live else ("evaluate", "Evaluate")
    if run.test_accuracy is None and not run.live:
        page, text = "train", "Open"
    st.page_link(f"pages/{page}.py", label=text, icon=":material/arrow_forward:", query_params={"run": run.id})


@st.cache_data(max_entries=64, show_spinner=False)
def _accuracies(run_id: str, step: int) -> list[float]:
    """Validation accuracy epoch by epoch, or training accuracy before there are two of these."""
    _, train, validation = curves(Record(store().metrics(run_id)), "accuracy")
    return [point[1] for point in (validation if len(validation) > 1 else train)]


def results_of(run: Run, items: Mapping[str, tuple[str, str]]) -> None:
    """Links to those of these pages (page -> text and icon) that have something to show of this run."""
    tested, learned = run.test_accuracy is not None, bool(run.best_epoch)
    ready = {"evaluate": tested, "inside": learned, "classify": learned}
    links({page: item for page, item in items.items() if ready.get(page, True)}, run=run.id)


def live_now() -> None:
    """Links to the runs that are being trained."""
    live = [run for run in store().runs(limit=100) if run.live]
    for run in live[-MOST_LINKS:]:  # the one that is being trained is older than those that wait
        text = f"{plain(run.name)} is {run.status}: watch it"
        st.page_link("pages/train.py", label=text, icon=STATUS[run.status][1], query_params={"run": run.id})


def watch() -> None:
    """Look again and again whether a run came, went or has another status or name, and then draw the page anew."""
    drawn = store().statuses()
    live = any(status in LIVE for status, _ in drawn.values())
    st.fragment(_redraw_on_change, run_every=QUICK if live else SLOW)(drawn)


@errors_shown()
def _redraw_on_change(drawn: dict[str, tuple[str, str]]) -> None:
    if store().statuses() != drawn:
        st.rerun()


def summary(run: Run) -> str:
    """How far and how good, in a few words."""
    if not run.known_recipe:
        return "Its recipe cannot be read: it is damaged or of another version"
    if run.test_accuracy is not None:
        return f"{words.percent(run.test_accuracy, 2)} on test images in {words.duration(run.seconds)}"
    return f"epoch {run.epoch:.1f} of {run.epochs}"


def _explain(run_id: str) -> None:
    """Say why the run of the address, or one on show that still learns, cannot be shown here."""
    with errors_shown():
        run = store().get(run_id)
        _ = run.recipe  # where it cannot be read, that is why
        named = bool(query.asked("run"))
        if named or run.live:
            until, instead = " yet" * (run.live or run.resumable), " Another run is shown." * (not named)
            text = f"{run.name} is {run.status} and has nothing to show here{until}.{instead}"
            st.info(plain(text), icon=STATUS[run.status][1])


def _run_chosen() -> None:
    query.put(run=st.session_state["choice:run"], epoch=None)  # each run has epochs of its own
