"""RunStore: the only SQL. Pages and workers meet here and nowhere else."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import delete, func, or_, select, tuple_, update

from cnn_core.errors import PlaygroundError, UnknownNameError
from cnn_core.recipe import Recipe
from cnn_core.runs.clock import unix_now
from cnn_core.runs.events import Event, Started
from cnn_core.runs.tables import RESUMABLE, Change, Command, Metric, Run, Worker
from cnn_core.runs.worker_store import WorkerStore, at_least, living, next_number, record
from cnn_core.settings import settings
from cnn_core.starting_weights import read_start

NAME_LENGTH = 80
RESTORER = "restore"  # holds a run while it is rebuilt
TESTED_SOON = "Its best weights are tested as soon as a worker is free."

NAME_COLUMN = 200  # characters of a name that is kept beside the recipe
NOTE_LENGTH = 4000
TAGS, TAG_LENGTH = 20, 40

_STATUSES = select(Run.id, Run.status, Run.name)


class RunStore(WorkerStore):
    """Every method is one short transaction."""

    def create(self, recipe: Recipe, name: str, worker: str | None = None) -> str:
        """A new queued run, or with `worker` one that this worker holds from the start. Returns its id."""
        run = _row(secrets.token_hex(4), recipe, clean_name(name), worker)
        run.created = run.queued = unix_now()
        with self._write() as session:
            run.number = next_number(session, "runs")
            session.add(run)
        return run.id

    def restore(
        self,
        run_id: str,
        recipe: Recipe,
        name: str,
        number: int,
        created: float,
        events: Sequence[tuple[float, Event]],
    ) -> None:
        """Add a run that was here before, with its id, number and times (Unix seconds), from all that happened in it.
        The last event ends it."""
        run = _row(run_id, recipe, clean_name(name), RESTORER)
        run.number, run.created, run.queued = number, created, created
        began = next((when for when, event in events if isinstance(event, Started)), None)
        with self._write() as session:
            session.add(run)
            session.flush()
            for _, event in events:
                session.execute(update(Run).where(Run.id == run_id).values(worker=RESTORER, status="running"))
                record(session, run_id, RESTORER, event)
            session.execute(update(Run).where(Run.id == run_id).values(started=began, finished=events[-1][0]))
            at_least(session, "runs", number)

    def get(self, run_id: str) -> Run:
        """Raises UnknownNameError, naming recent runs."""
        with self._read() as session:
            run = session.get(Run, run_id)
            if run is None:
                recent = session.scalars(select(Run.id).order_by(Run.created.desc(), Run.number.desc()).limit(5)).all()
                known = f"Recent runs: {', '.join(recent)}." if recent else "There are no runs yet."
                raise UnknownNameError(f"There is no run {run_id!r}. {known}")
            if run.status == "queued":
                ahead = select(func.count()).where(
                    Run.status == "queued", tuple_(Run.queued, Run.number) < (run.queued, run.number)
                )
                run.position = 1 + (session.scalar(ahead) or 0)
                served = session.scalars(select(Worker.serves).where(living(), Worker.ready)).all()
                run.unserved = bool(served) and run.device_wanted not in ",".join(served).split(",")
        return run

    def runs_on(self, dataset: str) -> list[Run]:
        """The runs that learn or learned from a data set, newest first; of one whose recipe cannot be read, where it
        is named there."""
        named = (Run.dataset == "") & Run.recipe_json.contains(f'"{dataset}"', autoescape=True)
        query = select(Run).where(or_(Run.dataset == dataset, named)).order_by(Run.created.desc(), Run.number.desc())
        with self._read() as session:
            return list(session.scalars(query))

    def runs(self, limit: int = 1000, status: str | None = None) -> list[Run]:
        """Newest first."""
        query = select(Run).order_by(Run.created.desc(), Run.number.desc()).limit(limit)
        if status:
            query = query.where(Run.status == status)
        with self._read() as session:
            found = list(session.scalars(query))
        queue = sorted((run for run in found if run.status == "queued"), key=lambda run: (run.queued, run.number))
        for position, run in enumerate(queue, start=1):
            run.position = position
        return found

    def statuses(self) -> dict[str, tuple[str, str]]:
        """Id -> status and name of every run: a look that costs little."""
        with self._read() as session:
            return {run_id: (status, name) for run_id, status, name in session.execute(_STATUSES)}

    def metrics(self, run_id: str) -> list[Metric]:
        """Points of a run's curves in the order they were recorded."""
        query = select(Metric).where(Metric.run_id == run_id).order_by(Metric.id)
        with self._read() as session:
            return list(session.scalars(query))

    def new_metrics(self, run_id: str, after: int, count: int) -> list[Metric] | None:
        """Points with an id above `after`, for a reader who has the `count` points up to there; None when one of those
        is void, as after a resume: read all again."""
        known = select(func.count()).where(Metric.run_id == run_id, Metric.id <= after)
        new = select(Metric).where(Metric.run_id == run_id, Metric.id > after).order_by(Metric.id)
        with self._read() as session:
            return list(session.scalars(new)) if session.scalar(known) == count else None

    def changes(self, run_id: str) -> list[Change]:
        """What a person changed while the run was training, in that order."""
        query = select(Change).where(Change.run_id == run_id).order_by(Change.id)
        with self._read() as session:
            return list(session.scalars(query))

    def workers(self) -> list[Worker]:
        """Workers that were heard of lately, by slot."""
        with self._read() as session:
            return list(session.scalars(select(Worker).where(living()).order_by(Worker.slot)))

    def rename(self, run_id: str, name: str) -> None:
        if len(name.strip()) > NAME_LENGTH:
            raise PlaygroundError(f"A run's name has at most {NAME_LENGTH} characters, not {len(name.strip())}.")
        self._change(run_id, name=clean_name(name))

    def describe(self, run_id: str, *, note: str | None = None, tags: Sequence[str] | None = None) -> None:
        """Set the note or the tags of a run. Raises PlaygroundError where they are too long or too many."""
        values: dict[str, Any] = {}
        if note is not None:
            values["note"] = note.replace("\0", "").strip()
            if len(values["note"]) > NOTE_LENGTH:
                raise PlaygroundError(f"A note has at most {NOTE_LENGTH:,} characters, not {len(values['note']):,}.")
        if tags is not None:
            values["tags"] = sorted({one_line(tag) for tag in tags} - {""})
            if len(values["tags"]) > TAGS or any(len(tag) > TAG_LENGTH for tag in values["tags"]):
                raise PlaygroundError(f"A run has at most {TAGS} tags of at most {TAG_LENGTH} characters.")
        if values:
            self._change(run_id, **values)

    def delete(self, run_id: str) -> None:
        """Remove a run's rows. A worker that holds it loses its claim and stops."""
        with self._write() as session:
            session.execute(delete(Run).where(Run.id == run_id))

    def move(self, run_id: str, origins: Sequence[str], status: str, **changes: Any) -> bool:
        """Set the status if it is one of `origins` now. Returns whether it was."""
        query = update(Run).where(Run.id == run_id, Run.status.in_(origins)).values(status=status, **changes)
        with self._write() as session:
            return session.execute(query).rowcount == 1  # type: ignore[attr-defined]

    def requeue(self, run_id: str) -> bool:
        """Put a paused or interrupted run at the end of the queue. Returns whether it was either."""
        return self._requeue(run_id, RESUMABLE, queued=unix_now(), message="", progress_text="")

    def requeue_to_stop(self, run_id: str) -> bool:
        """Put a run that no worker holds at the head of the queue, only to have its best weights tested."""
        return self._requeue(run_id, ("queued", *RESUMABLE), "stop", queued=0.0, message="", progress_text=TESTED_SOON)

    def _requeue(self, run_id: str, origins: Sequence[str], verb: str = "", **changes: Any) -> bool:
        waiting = update(Run).where(Run.id == run_id, Run.status.in_(origins)).values(status="queued", **changes)
        with self._write() as session:
            if session.execute(waiting).rowcount != 1:  # type: ignore[attr-defined]
                return False
            session.execute(delete(Command).where(Command.run_id == run_id))  # commands from before it was interrupted
            if verb:
                session.add(Command(run_id=run_id, verb=verb))
            return True

    def send(self, run_id: str, verb: str, value: float | None = None) -> None:
        """Leave a command for the worker that holds the run."""
        with self._write() as session:
            session.add(Command(run_id=run_id, verb=verb, value=value))

    def _change(self, run_id: str, **values: Any) -> None:
        with self._write() as session:
            if session.execute(update(Run).where(Run.id == run_id).values(values)).rowcount != 1:  # type: ignore[attr-defined]
                raise UnknownNameError(f"There is no run {run_id!r}.")


def _row(run_id: str, recipe: Recipe, name: str, worker: str | None) -> Run:
    run = Run(id=run_id, name=name, status="starting" if worker else "queued", recipe_json=recipe.model_dump_json())
    run.worker, run.heartbeat = worker, unix_now() if worker else None
    run.dataset, run.network = recipe.data.dataset[:NAME_COLUMN], recipe.network.preset[:NAME_COLUMN]
    run.device_wanted, start = recipe.training.device, read_start(recipe.network.start)
    if start.source == "run":
        run.parent_run, run.parent_epoch = start.name, start.epoch
    return run


def clean_name(name: str) -> str:
    """A name as it is stored: one line, no control characters. Raises PlaygroundError when nothing is left."""
    cleaned = one_line(name)[:NAME_LENGTH].strip()
    if not cleaned:
        raise PlaygroundError("A run needs a name: type at least one visible character.")
    return cleaned


def one_line(text: str) -> str:
    """Text without control characters, line breaks and doubled spaces."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


@lru_cache(maxsize=4)
def _open(url: str) -> RunStore:
    return RunStore(url)


def store() -> RunStore:
    """The run store that the settings name, opened once per process."""
    return _open(settings().store_url)
