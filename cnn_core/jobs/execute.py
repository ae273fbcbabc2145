"""Train one run that this process holds, from its row in the store to its last event."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from cnn_core.data.catalogue.library import Progress
from cnn_core.data.catalogue.resplit import prepare_for
from cnn_core.errors import DivergedError, PlaygroundError, RunFilesError, UnknownNameError
from cnn_core.jobs.endings import ending
from cnn_core.jobs.outbox import Outbox, patiently
from cnn_core.jobs.queue import MOST_RATE
from cnn_core.jobs.unsent import point_of, recorded_points
from cnn_core.planning.weights import file_of
from cnn_core.runs.events import Ended, Event, Preparing
from cnn_core.runs.folder import RESUME, RunFolder
from cnn_core.runs.journal import Journal, write_record
from cnn_core.runs.live import forget_live
from cnn_core.runs.store import store
from cnn_core.runs.tables import LIVE, RESUMABLE, Run
from cnn_core.runs.worker_store import LostRunError

if TYPE_CHECKING:
    from cnn_core.training.session import TrainingSession

UNTESTED = "Stopped before the end of its first epoch: no weights kept."
BEST_TESTED = "Its best weights were tested."
TRAIN_AGAIN = "It has no weights yet: train it again."
CLOSED = "Training was interrupted from outside. Everything up to then is saved."
AWAY = "The database could not be reached for {minutes:.0f} minutes. Everything up to then is saved."
AWAY_SECONDS = 600.0  # of training on, with the events kept, before a run is saved and interrupted


def execute(
    run_id: str,
    worker_id: str,
    device: str,
    closing: threading.Event,
    watch: Callable[[Event], object] = lambda event: None,
) -> None:
    """Returns when the run has ended in any way; whatever goes wrong stands in the message of the run.

    `watch` sees each event once it is recorded, or kept until the store can be reached again.
    """
    try:
        run = patiently(lambda: store().get(run_id), closing)
        outbox = patiently(lambda: Outbox(run_id, worker_id, closing), closing)
        if run and outbox:
            journal = _begin_journal(run)
            with outbox:
                for event in _events(run, outbox, device, closing):
                    outbox.post(event)
                    journal.add(event)
                    watch(event)
            forget_live(run_id)
            if outbox.delivered:
                patiently(lambda: forget_ended(run_id), closing)
    except UnknownNameError:  # deleted before it began
        RunFolder(run_id).delete()
    except LostRunError:  # deleted, or taken for dead and resumed elsewhere
        if patiently(lambda: _is_known(run_id), closing) is False:
            RunFolder(run_id).delete()  # what was written between the delete and this notice


def _begin_journal(run: Run) -> Journal:
    files = RunFolder(run.id).files
    try:
        write_record(files, run)
    except (PlaygroundError, OSError) as error:  # it is in the store; what is wrong is reported when training begins
        logging.getLogger(__name__).warning("The record of run %s is not in its folder: %s", run.id, error)
    return Journal(files)


def forget_ended(*run_ids: str) -> None:
    """Of those of the runs that no worker holds, of all when none is named, remove the live weights, and the resume
    state of those that have ended for good."""
    for run_id, (status, _) in store().statuses().items():
        if status in LIVE or (run_ids and run_id not in run_ids):
            continue
        forget_live(run_id)
        if status not in RESUMABLE:
            RunFolder(run_id).forget_resume()


def _is_known(run_id: str) -> bool:
    try:
        return bool(store().get(run_id))
    except UnknownNameError:
        return False


def _events(run: Run, outbox: Outbox, device: str, closing: threading.Event) -> Iterator[Event]:
    """The events of a run, its end included."""
    try:
        yield from _train(run, outbox, device, closing)
    except LostRunError:
        raise
    except Exception as error:
        yield ending(error, begun=RunFolder(run.id).has(RESUME))


def _train(run: Run, outbox: Outbox, device: str, closing: threading.Event) -> Iterator[Event]:
    from cnn_core.training.session import TrainingSession  # loads torch

    def report(progress: Progress) -> None:
        outbox.post(Preparing(progress_text=str(progress)))

    try:
        dataset = prepare_for(run.recipe.data, report)
    except PlaygroundError as error:
        if not any(command.verb == "stop" for command in outbox.commands()):
            raise
        yield Ended(status="stopped", message=f"{error} So its best weights are not tested.")
        return
    folder = RunFolder(run.id)
    start = None if folder.has(RESUME) else file_of(run.recipe.network.start)  # it may be deleted since
    session = TrainingSession(run.recipe, dataset, folder, device, start)
    try:
        for event in _train_or_obey(run.id, session, outbox, closing):
            yield event
            if event.ends:
                return
            if closing.is_set():
                session.save()
                yield Ended(status="interrupted", message=CLOSED)
                return
            if outbox.away_seconds > AWAY_SECONDS:
                session.save()
                yield Ended(status="interrupted", message=AWAY.format(minutes=outbox.away_seconds / 60))
                return
    except DivergedError as error:
        yield _end_early(session, "diverged", str(error))


def _train_or_obey(run_id: str, session: TrainingSession, outbox: Outbox, closing: threading.Event) -> Iterator[Event]:
    """The events of training, and after each the answers to the commands that were left; an answer may be the last.

    Commands come first too: a run is paused or stopped while it is prepared, or queued only to be tested.
    """
    yield from _obey(session, outbox)
    if session.damage:
        yield _end_early(session, "stopped", f"{session.damage} {BEST_TESTED if session.best_epoch else TRAIN_AGAIN}")
    known = patiently(lambda: recorded_points(run_id), closing) or set()
    for event in session.run(recorded=lambda event: point_of(event) in known):
        yield event
        yield from _obey(session, outbox)


def _obey(session: TrainingSession, outbox: Outbox) -> Iterator[Event]:
    """Carry out the commands left for a run: changes of rate in their order, then stop before pause."""
    commands = outbox.commands()
    for command in commands:
        value = {"learning_rate": command.value, "multiply_rate": session.rate * (command.value or 1)}.get(command.verb)
        if value and not math.isclose(min(value, MOST_RATE), session.rate):
            yield session.change_learning_rate(min(value, MOST_RATE))
    verbs = {command.verb for command in commands}
    if "stop" in verbs:
        yield _end_early(session, "stopped", "" if session.best_epoch else UNTESTED)
    elif "pause" in verbs:
        session.save()
        yield Ended(status="paused")


def _end_early(session: TrainingSession, status: str, message: str) -> Event:
    """The best weights tested, where there are any and they can be."""
    if not session.best_epoch:
        return Ended(status=status, message=message)
    try:
        return session.finish(status, message)
    except RunFilesError as error:
        return Ended(status=status, message=" ".join(filter(None, (message, str(error)))))
