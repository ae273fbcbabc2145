"""Train one run that this process holds, from its row in the store to its last event."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from cnn_core.data.library import Progress
from cnn_core.data.resplit import prepare_for
from cnn_core.errors import DivergedError, RunFilesError, UnknownNameError
from cnn_core.jobs.endings import ending
from cnn_core.jobs.outbox import Outbox, patiently
from cnn_core.runs.events import Ended, Event, Finished, Preparing, RateChanged
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import LostRunError, store
from cnn_core.runs.tables import Run

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
    """Returns when the run has ended in any way; whatever goes wrong is told in the run's own message.

    `watch` sees each event once it is recorded, or kept until the store can be reached again.
    """
    try:
        run = patiently(lambda: store().get(run_id), closing)
        outbox = patiently(lambda: Outbox(run_id, worker_id, closing), closing)
        if run and outbox:
            with outbox:
                for event in _events(run, outbox, device, closing):
                    outbox.post(event)
                    watch(event)
            if isinstance(event, Finished) and outbox.delivered:
                RunFolder(run_id).forget_resume()
    except UnknownNameError:  # deleted before it began
        RunFolder(run_id).delete()
    except LostRunError:  # deleted, or taken for dead and resumed elsewhere
        if patiently(lambda: _is_known(run_id), closing) is False:
            RunFolder(run_id).delete()  # what was written between the delete and this notice


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
        yield ending(error, begun=RunFolder(run.id).resume.exists())


def _train(run: Run, outbox: Outbox, device: str, closing: threading.Event) -> Iterator[Event]:
    from cnn_core.training.session import TrainingSession  # loads torch

    def tell(progress: Progress) -> None:
        outbox.post(Preparing(progress_text=str(progress)))

    dataset = prepare_for(run.recipe.data, tell)
    session = TrainingSession(run.recipe, dataset, RunFolder(run.id), device)
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
    points = patiently(lambda: store().metrics(run_id), closing) or []
    for event in session.run({point.epoch for point in points if point.kind == "validation"}):
        yield event
        yield from _obey(session, outbox)


def _obey(session: TrainingSession, outbox: Outbox) -> Iterator[Event]:
    """Carry out the commands left for a run."""
    for command in outbox.commands():
        if command.verb == "learning_rate" and command.value:
            yield _change_rate(session, command.value)
        if command.verb == "pause":
            session.save()
            yield Ended(status="paused")
        if command.verb == "stop":
            yield _end_early(session, "stopped", "" if session.best_epoch else UNTESTED)


def _end_early(session: TrainingSession, status: str, message: str) -> Event:
    """The best weights tested, where there are any and they can be."""
    if not session.best_epoch:
        return Ended(status=status, message=message)
    try:
        return session.finish(status, message)
    except RunFilesError as error:
        return Ended(status=status, message=" ".join(filter(None, (message, str(error)))))


def _change_rate(session: TrainingSession, value: float) -> RateChanged:
    """Saved at once, so that a run that is resumed from this very step has the new rate as its record says."""
    old = session.rate
    session.change_learning_rate(value)
    session.save()
    return RateChanged(
        step=session.step, epoch=session.step / len(session.batches), old_rate=old, learning_rate=session.rate
    )
