"""A run as it learns. The fragment only reads the store, so a reload or a second browser sees the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import streamlit as st

from cnn_core.errors import PlaygroundError
from cnn_core.jobs.executors.local_pool import trouble
from cnn_core.jobs.queue import MOST_RATE, command
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store
from cnn_core.runs.tables import Run
from cnn_core.training.outlook import outlook_sentence
from pages.ui.charts import figures
from pages.ui.frame import words
from pages.ui.frame.errors import errors_shown, plain
from pages.ui.inside import learning
from pages.ui.runs.choosing import badge, results_of
from pages.ui.runs.records import EVERY, SLOW, interval, shared
from pages.ui.train import coaching

MUCH = 2.0  # times more or fewer sessions change how often this one looks
FACTORS = {"÷ 10": 0.1, "÷ 2": 0.5, "× 2": 2.0, "× 10": 10.0}
PATIENCE = 1.0  # seconds a page waits for news it has just asked for


def watch(run: Run) -> None:
    """Draw a run, again and again while it is live, and now and then while somebody may resume it elsewhere; when its
    status changes the whole page is drawn anew."""
    shared(run.id).expire()
    every = interval() if run.live else None
    st.fragment(_look, run_every=every or (SLOW if run.resumable else None))(run.id, run.status, every)


def stage(run: Run) -> None:
    """The network at work while it is trained."""
    if run.status == "running":
        learning.show(run, interval())


def expect(run_id: str) -> None:
    """Note that this run was just submitted here: the next image of it should show its first point."""
    st.session_state["expected"] = run_id


def wait_for_first_point(run_id: str) -> None:
    """Give a warm worker the moment it needs, once, if the run was just submitted here."""
    if run_id and st.session_state.pop("expected", "") == run_id:
        wait_for_news(run_id, lambda run: bool(run.step) or not run.live)


def wait_for_news(run_id: str, until: Callable[[Run], bool]) -> None:
    """Give the worker a moment, so that what was asked for is already in the first image."""
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit and not until(store().get(run_id)):
        time.sleep(0.04)


def controls(run: Run) -> None:
    """Pause, resume, stop and the learning rate, where they do something. They stand outside the fragment, so its clock
    never resets them."""
    if not (run.live or run.resumable):
        return
    with st.container(key="run-controls", gap="xsmall"):
        with st.container(horizontal=True, gap="xsmall"):
            if run.live and run.status != "queued":
                note = "Save everything and free the worker; resume any time."
                _button(run, "pause", "Pause", ":material/pause:", note, primary=True)
            if run.resumable:
                _button(run, "resume", "Resume", ":material/play_arrow:", "Go on exactly where it was.", primary=True)
            _button(run, "stop", "Stop", ":material/stop:", "End here and test the best weights so far.")
        if run.status == "running" and run.learning_rate:
            _learning_rate(run)


def _button(run: Run, verb: str, text: str, icon: str, note: str, primary: bool = False) -> None:
    kind = "primary" if primary else "secondary"
    if st.button(text, icon=icon, help=note, key=f"{verb}:{run.id}", type=kind, width="stretch"):  # type: ignore[arg-type]
        with errors_shown():
            command(run.id, verb)
            wait_for_news(run.id, lambda now: now.status != run.status)
            st.rerun()


def _learning_rate(run: Run) -> None:
    """Buttons, which act once for each press; a choice that is cleared after it may come from the browser again."""
    with st.container(gap="xxsmall"):
        st.caption("Change the learning rate", help=RATE_HELP)
        with st.container(horizontal=True, gap="xsmall", key="rate-factors"):
            for text, factor in FACTORS.items():
                key = f"rate:{text}:{run.id}"
                st.button(text, key=key, on_click=_change_learning_rate, args=(run.id, factor), width="stretch")


RATE_HELP = (
    "Multiplies the present rate between two steps, without a restart, and the rest of the schedule in proportion: "
    "in a warm-up the rate still climbs, to a peak that is scaled too. Smaller calms the curves, too large makes "
    "the loss jump. The change is recorded and marked on the curves."
)


def _change_learning_rate(run_id: str, factor: float) -> None:
    with errors_shown():
        run = store().get(run_id)
        value = min(run.learning_rate * factor, MOST_RATE)
        if value == run.learning_rate:
            st.toast(f"The learning rate is {MOST_RATE:g} already, the most there is.", icon=":material/speed:")
            return
        command(run_id, "multiply_rate", factor)  # two presses before the next report count twice
        ahead = outlook_sentence(run.recipe.training, run.step, run.steps, run.learning_rate, value)
        st.toast(f"Learning rate {value:.3g} from the next step on. {ahead}", icon=":material/speed:", duration="long")


def _look(run_id: str, status: str, every: float | None) -> None:
    """One look at the store."""
    with errors_shown():
        run, options = shared(run_id).look()
        if run.status != status or (every and not every / MUCH <= interval() <= every * MUCH):
            st.rerun()
        _head(run)
        if every and every > EVERY:
            st.caption(
                f"Many people are watching: this chart refreshes every {every:.0f} s, so that training keeps its speed."
            )
        if options:
            figures.run_curves(run, options)
            coaching.notice(run, shared(run_id).record)
        elif run.live and run.status != "queued":
            st.skeleton(height=330)


def _head(run: Run) -> None:
    with st.container(border=True, key="run-status"):
        with st.container(horizontal=True, vertical_alignment="center"):
            computed = ", ".join(filter(None, (run.device, run.precision)))
            st.markdown(f"**{plain(run.name)}**", help=plain(f"Computed on {computed}") if computed else None)
            badge(run)
            if run.steps:
                figures.facts(_facts(run))
        _explain(run)
        if run.steps and run.status != "finished":
            done = run.step / run.steps
            left = f" · {words.duration(run.remaining)} left" if run.status == "running" and run.remaining else ""
            st.progress(min(1.0, done), f"Epoch {run.epoch:.1f} of {run.epochs}{left}")


def _explain(run: Run) -> None:
    """What a person should know of this status, in a sentence."""
    if run.status == "queued":
        st.info(run.progress_text or _queue(run), icon=":material/hourglass_empty:")
    elif run.status == "starting":
        st.info(plain(run.progress_text or "A worker has taken this run and loads its images."))
    elif run.status == "interrupted":
        st.warning(plain(run.message), icon=":material/power_off:")
    elif run.status in ("failed", "diverged"):
        st.error(plain(run.message), icon=":material/error:")
    elif run.status == "paused":
        st.info("Paused. Everything is saved; press Resume to go on.", icon=":material/pause_circle:")
    elif run.message:
        st.info(plain(run.message))
    elif sentence := _frozen_layers(run):
        st.caption(plain(sentence))


def _frozen_layers(run: Run) -> str:
    """How often the features of frozen layers are computed; empty where no part is frozen."""
    if run.known_recipe and any(rate.factor == 0 for rate in run.known_recipe.network.rates):
        with suppress(PlaygroundError):
            return str((RunFolder(run.id).plan().get("features") or {}).get("sentence", ""))
    return ""


def _queue(run: Run) -> str:
    ready = [worker for worker in store().workers() if worker.ready]
    if not ready:
        return plain(trouble()) or "The worker is starting: torch is being loaded. This takes a few seconds."
    if run.unserved:
        return (
            f"This run asks for the device {run.device_wanted}, which no worker here has. "
            "Stop it and train with the device auto or cpu, or start a worker that has one."
        )
    ahead = (run.position or 1) - 1
    before = "Next in the queue" if not ahead else f"{words.count(ahead, 'run')} before this one in the queue"
    return f"{before}: the worker is busy with another run." if any(worker.run_id for worker in ready) else before + "."


def _facts(run: Run) -> dict[str, str]:
    shown = {"Validation accuracy": words.percent(run.validation_accuracy, 2)}
    if run.test_accuracy is not None:
        shown = {"Test accuracy": words.percent(run.test_accuracy, 2), "Test loss": words.number(run.test_loss)} | shown
    shown |= {
        "Training accuracy": words.percent(run.train_accuracy, 2),
        "Images per second": words.compact(run.images_per_second),
        "Trained for": words.duration(run.seconds),
    }
    return shown | ({"Learning rate": words.significant(run.learning_rate)} if run.live or run.resumable else {})


def after(run: Run) -> None:
    """Where to go with a run that has learned something."""
    if run.best_epoch:
        with st.container(border=True):
            st.markdown("**See what it learned**")
            results_of(run, NEXT)


NEXT = {
    "evaluate": ("Evaluate", ":material/fact_check:"),
    "inside": ("Inside", ":material/layers:"),
    "classify": ("Classify an image", ":material/image_search:"),
}
