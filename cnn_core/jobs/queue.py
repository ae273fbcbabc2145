"""What a person asks of runs: submit, pause, resume, stop, change the learning rate, delete. Needs no torch."""

from __future__ import annotations

import math

from cnn_core.data.catalogue.registry import dataset_sources
from cnn_core.errors import PlaygroundError
from cnn_core.models.presets import title_of
from cnn_core.planning.recipe import check
from cnn_core.recipe import Recipe
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.journal import RECORD, write_record
from cnn_core.runs.store import store
from cnn_core.runs.tables import RESUMABLE, Run

VERBS = ("pause", "resume", "stop", "learning_rate", "multiply_rate")
MOST_RATE = 10.0
ARTICLE = {"interrupted": "An"}
DONE = {
    "pause": "paused",
    "resume": "resumed",
    "stop": "stopped",
    "learning_rate": "given another learning rate",
    "multiply_rate": "given another learning rate",
}


def submit(recipe: Recipe, name: str = "") -> str:
    """Queue a run and return its id. Raises a PlaygroundError that says what cannot work, and then queues nothing."""
    return store().create(check(recipe), name or name_of(recipe))


def name_of(recipe: Recipe) -> str:
    """A run's name until a person gives it a better one."""
    return f"{title_of(recipe.network)} · {dataset_sources.get(recipe.data.dataset).title}"


def command(run_id: str, verb: str, value: float | None = None) -> None:
    """Pause, resume or stop a run, set its learning rate to `value`, or multiply the rate of its next step by it.

    A pause frees the worker for the next in the queue; a resumed run queues again and goes on where it was.
    Raises PlaygroundError when the run is not in a state for it or cannot be read, UnknownNameError for an unknown one.
    """
    if verb not in VERBS:
        raise PlaygroundError(f"There is no command {verb!r}. Known: {', '.join(VERBS)}.")
    run, runs = store().get(run_id), store()
    if verb == "resume":
        _ = run.recipe  # one that cannot be read cannot be trained
    if verb == "learning_rate" and not (value and math.isfinite(value) and 0 < value <= MOST_RATE):
        raise PlaygroundError(f"The learning rate has to be a number above 0 and at most {MOST_RATE:g}.")
    if verb == "multiply_rate" and not (value and math.isfinite(value) and value > 0):
        raise PlaygroundError("The learning rate can be multiplied by a number above 0.")
    if _done_at_once(run, verb):
        return
    if verb == "resume" or run.status not in ("starting", "running"):
        raise PlaygroundError(f"{ARTICLE.get(run.status, 'A')} {run.status} run cannot be {DONE[verb]}.")
    runs.send(run_id, verb, value)


def _done_at_once(run: Run, verb: str) -> bool:
    """Carry out what needs no worker that holds the run. Returns whether it was that."""
    runs = store()
    if verb == "resume":
        return runs.requeue(run.id)
    if verb == "pause":
        return runs.move(run.id, ("queued",), "paused")
    if verb == "stop" and run.best_epoch:
        return runs.requeue_to_stop(run.id)
    if verb == "stop" and runs.move(run.id, ("queued", *RESUMABLE), "stopped"):
        RunFolder(run.id).forget_resume()
        return True
    return False


def rename(run_id: str, name: str) -> None:
    """In the store and in the run's folder. Raises PlaygroundError for a name that is empty or too long."""
    store().rename(run_id, name)
    files = RunFolder(run_id).files
    if files.version(RECORD) is not None:
        write_record(files, store().get(run_id))


def delete(run_id: str) -> None:
    """Remove a run: its rows and its files. A worker that trains it stops by itself."""
    folder = RunFolder(run_id)
    store().delete(run_id)
    folder.delete()
