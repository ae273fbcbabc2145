"""Train one run that this process holds, from its row in the store to its last event."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

from cnn_core.data.library import Progress
from cnn_core.data.resplit import prepare_for
from cnn_core.errors import PlaygroundError, UnknownNameError
from cnn_core.runs.events import Ended, Event, Preparing
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import LostRunError, store
from cnn_core.runs.tables import Run

CLOSED = "Training was interrupted from outside. Everything up to then is saved."


def execute(
    run_id: str,
    worker_id: str,
    device: str,
    closing: threading.Event,
    watch: Callable[[Event], object] = lambda event: None,
) -> None:
    """Returns when the run has ended in any way; whatever goes wrong is told in the run's own message.

    `watch` sees each event once it is recorded.
    """
    try:
        for event in _events(run_id, worker_id, device, closing):
            store().record(run_id, worker_id, event)
            watch(event)
    except LostRunError:  # deleted, or taken for dead and perhaps resumed elsewhere
        try:
            store().get(run_id)
        except UnknownNameError:
            RunFolder(run_id).delete()  # what was written between the delete and this notice


def _events(run_id: str, worker_id: str, device: str, closing: threading.Event) -> Iterator[Event]:
    """The events of a run, its end included."""
    try:
        yield from _train(store().get(run_id), worker_id, device, closing)
    except LostRunError:
        raise
    except PlaygroundError as error:
        yield Ended(status="failed", message=str(error))
    except Exception as error:
        logging.getLogger(__name__).exception("Run %s failed", run_id)
        yield Ended(status="failed", message=_explain(error))


def _train(run: Run, worker_id: str, device: str, closing: threading.Event) -> Iterator[Event]:
    from cnn_core.training.session import TrainingSession

    def tell(progress: Progress) -> None:
        store().record(run.id, worker_id, Preparing(progress_text=str(progress)))

    dataset = prepare_for(run.recipe.data, tell)
    session = TrainingSession(run.recipe, dataset, RunFolder(run.id), device)
    for event in session.run():
        yield event
        if event.ends:
            return
        if closing.is_set():
            session.save()
            yield Ended(status="interrupted", message=CLOSED)
            return
        for command in store().commands(run.id):
            if command.verb == "learning_rate" and command.value:
                session.change_learning_rate(command.value)
            if command.verb == "pause":
                session.save()
                yield Ended(status="paused")
                return
            if command.verb == "stop":
                if session.best_epoch:
                    yield session.finish("stopped")
                else:
                    yield Ended(status="stopped", message="Stopped before the end of its first epoch: no weights kept.")
                return


def _explain(error: Exception) -> str:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    if "out of memory" in text.lower() or isinstance(error, MemoryError):
        return "There is not enough memory for this run. Try a smaller batch, smaller images or a smaller network."
    return f"Something unexpected went wrong in the worker: {text}. Its log file has the details."
