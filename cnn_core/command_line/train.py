"""Training in this process."""

from __future__ import annotations

import argparse
import json
import os
import signal
from contextlib import suppress
from dataclasses import asdict

from cnn_core.command_line.files import read_at_most
from cnn_core.command_line.interruption import PIPE, Interruption, ignoring_signals
from cnn_core.command_line.output import print_line, print_sentence, summary
from cnn_core.errors import PlaygroundError
from cnn_core.jobs.executors.local_pool import slots
from cnn_core.jobs.takeover import interrupt_if_silent
from cnn_core.planning.networks import recipe_for
from cnn_core.planning.recipe import check
from cnn_core.recipe import Recipe
from cnn_core.runs.events import Ended, Event, Started
from cnn_core.runs.store import store
from cnn_core.runs.tables import Run, Worker
from cnn_core.runs.worker_id import new_worker_id

COMMAND_LINE_SLOT = -1  # not one of the pool's
CUT_SHORT = "Training was interrupted from outside. What was saved last is there to go on from."
RECIPE_MEGABYTES = 1
DONE = ("finished", "stopped", "paused")


def train(options: argparse.Namespace) -> int:
    if options.resume is not None:
        recipe = None
        known = store().get(options.resume).recipe
    else:
        recipe = known = check(_recipe(options))
        store()
    device = slots()[0]
    _require(known, device)
    worker = Worker(id=new_worker_id(), slot=COMMAND_LINE_SLOT, pid=os.getpid(), device=device, ready=True, run_id=None)
    worker.serves = ""  # it takes no run from the queue
    if options.resume is not None:
        interrupt_if_silent(options.resume, print_sentence)
    with Interruption() as interruption:
        run_id = worker.run_id = _take(options, recipe, worker.id)
        _execute(run_id, worker, interruption)
        return _end(store().get(run_id), interruption)


def _require(recipe: Recipe, slot: str) -> None:
    """What training takes: torch, the device, the images. Before a run is made or taken, so that neither Ctrl-C in
    these seconds nor a request that cannot be met leaves anything. Raises PlaygroundError for one."""
    import cnn_core.training.session  # noqa: F401
    from cnn_core.data.catalogue.resplit import prepare_for
    from cnn_core.training.hardware import device_of

    device_of(recipe.training.device, slot)
    prepare_for(recipe.data)


def _take(options: argparse.Namespace, recipe: Recipe | None, worker_id: str) -> str:
    """The id of a new run, or of the one to resume, that this process now holds."""
    from cnn_core.jobs.queue import name_of

    if recipe:
        return store().create(recipe, options.name or name_of(recipe), worker_id)
    run_id = store().get(options.resume).id
    if not store().take(run_id, worker_id):
        raise PlaygroundError(f"Run {run_id} is {store().get(run_id).status}: it cannot be resumed.")
    return run_id


def _execute(run_id: str, worker: Worker, interruption: Interruption) -> None:
    """Train until the run ends in any way. What is cut short is signed off as interrupted."""
    from cnn_core.jobs.execute import execute
    from cnn_core.jobs.heartbeat import Heartbeat

    def watch(event: Event) -> None:
        interruption.patient = interruption.patient or isinstance(event, Started)
        try:
            fields = {name: value for name, value in asdict(event).items() if name != "quantities" or value}
            print_line({"event": type(event).__name__.lower()} | fields)
        except BrokenPipeError:
            interruption.request(PIPE)

    with Heartbeat(worker):
        try:
            print_line({"event": "run", "run": run_id})
            interruption.become_impatient()
            execute(run_id, worker.id, worker.device, interruption.closing, watch)
        except (KeyboardInterrupt, BrokenPipeError) as error:
            ignoring_signals()
            interruption.request(PIPE if isinstance(error, BrokenPipeError) else signal.SIGINT)
            with suppress(Exception):  # whoever looks next finds it silent
                store().record(run_id, worker.id, Ended(status="interrupted", message=CUT_SHORT))
        finally:
            ignoring_signals()


def _end(run: Run, interruption: Interruption) -> int:
    """The last line, what there is to say about it, and the exit code."""
    if interruption.number != PIPE:
        print_line(summary(run))
    if run.status in ("paused", "interrupted"):
        print_sentence(
            f"{run.message or 'The run is paused.'} Go on with: python -m cnn_core train --resume {run.id}".strip()
        )
    elif run.message:
        print_sentence(run.message)
    if run.status in DONE:
        return 0
    if run.status == "interrupted":
        return interruption.exit_code or 2
    return 1


def _recipe(options: argparse.Namespace) -> Recipe:
    if options.recipe is None:
        recipe = recipe_for(options.dataset, options.network)
    else:
        recipe = Recipe.from_json(read_at_most(options.recipe, RECIPE_MEGABYTES, "recipe"))
    values = recipe.model_dump()
    if options.epochs is not None:
        values["training"]["epochs"] = options.epochs
    if options.seed is not None:
        values["seed"] = options.seed
    if options.start is not None:
        values["network"]["start"] = options.start
    return Recipe.from_json(json.dumps(values))
