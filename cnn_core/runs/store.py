"""RunStore: the only SQL. Pages and workers meet here and nowhere else."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from sqlalchemy import delete, func, select, tuple_, update
from sqlalchemy.orm import Session

from cnn_core.errors import PlaygroundError, UnknownNameError
from cnn_core.recipe import Recipe
from cnn_core.runs.clock import unix_now
from cnn_core.runs.engine import connect
from cnn_core.runs.events import Event, RateChanged, Started
from cnn_core.runs.tables import HELD, RESUMABLE, Change, Command, Counter, Metric, Run, Worker
from cnn_core.settings import settings

SILENT_SECONDS = 6.0  # heartbeats come every 1.5 s: after three missed ones and a margin the worker is gone
NAME_LENGTH = 80
TESTED_SOON = "Its best weights are tested as soon as a worker is free."
GONE = "The process that trained this run is gone. Nothing up to the last checkpoint is lost."

_STATUSES = select(Run.id, Run.status, Run.name)


class LostRunError(Exception):
    """This worker's claim on a run is gone (reaped, deleted, taken over): it must stop writing."""


class RunStore:
    """Every method is one short transaction."""

    def __init__(self, url: str):
        self._engine = connect(url)
        self._writer = self._engine.execution_options(writing=True)

    @contextmanager
    def _read(self) -> Iterator[Session]:
        with Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def _write(self) -> Iterator[Session]:
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    # What pages ask

    def create(self, recipe: Recipe, name: str, worker: str | None = None) -> str:
        """A new queued run, or with `worker` one that this worker holds from the start. Returns its id."""
        run = Run(id=secrets.token_hex(4), name=clean_name(name), status="starting" if worker else "queued")
        run.recipe_json, run.created, run.queued = recipe.model_dump_json(), unix_now(), unix_now()
        run.worker, run.heartbeat = worker, unix_now() if worker else None
        with self._write() as session:
            run.number = 1 + (session.scalar(select(func.max(Run.number))) or 0)
            session.add(run)
        return run.id

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
        return run

    def runs_on(self, dataset: str) -> list[Run]:
        """The runs that learn or learned from a data set, newest first."""
        query = (
            select(Run)
            .where(Run.recipe_json.contains(f'"{dataset}"', autoescape=True))
            .order_by(Run.created.desc(), Run.number.desc())
        )
        with self._read() as session:
            return [run for run in session.scalars(query) if not run.known_recipe or run.recipe.data.dataset == dataset]

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
        heard = select(Worker).where(Worker.heartbeat > unix_now() - SILENT_SECONDS).order_by(Worker.slot)
        with self._read() as session:
            return list(session.scalars(heard))

    def rename(self, run_id: str, name: str) -> None:
        if len(name.strip()) > NAME_LENGTH:
            raise PlaygroundError(f"A run's name has at most {NAME_LENGTH} characters, not {len(name.strip())}.")
        self._change(run_id, name=clean_name(name))

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

    def tell(self, run_id: str, verb: str, value: float | None = None) -> None:
        """Leave a command for the worker that holds the run."""
        with self._write() as session:
            session.add(Command(run_id=run_id, verb=verb, value=value))

    # What workers say

    def claim(self, worker: str) -> str | None:
        """Take the run that has waited longest. Returns its id, or None when the queue is empty."""
        waiting = select(Run.id).where(Run.status == "queued").order_by(Run.queued, Run.number).limit(1)
        with self._read() as session:
            if session.scalar(waiting) is None:
                return None
        with self._write() as session:
            run_id = session.scalar(waiting)
            return run_id if run_id and _take(session, run_id, worker, ("queued",)) else None

    def take(self, run_id: str, worker: str) -> bool:
        """Take this run if it is queued, paused or interrupted. Returns whether it was."""
        with self._write() as session:
            session.execute(delete(Command).where(Command.run_id == run_id))
            return _take(session, run_id, worker, ("queued", *RESUMABLE))

    def record(self, run_id: str, worker: str, *events: Event) -> None:
        """Write the columns and metric rows of events, all or none. Raises LostRunError when `worker` does not hold
        the run."""
        with self._write() as session:
            for event in events:
                _record(session, run_id, worker, event)

    def reclaim(self, run_id: str, worker: str) -> bool:
        """Take back a run that was interrupted because `worker` could not be heard of. Returns whether it holds it:
        not when another has had the run since, or a person paused, stopped or deleted it."""
        theirs = (Run.id == run_id, Run.worker == worker, Run.status.in_((*HELD, "interrupted", "queued")))
        values = {"status": "running", "message": "", "heartbeat": unix_now()}
        with self._write() as session:
            return session.execute(update(Run).where(*theirs).values(values)).rowcount == 1  # type: ignore[attr-defined]

    def commands(self, run_id: str) -> list[Command]:
        """Take the commands left for a run, oldest first."""
        query = select(Command).where(Command.run_id == run_id).order_by(Command.id)
        with self._read() as session:
            if session.scalar(query.limit(1)) is None:
                return []
        with self._write() as session:
            left = list(session.scalars(query))
            session.execute(delete(Command).where(Command.run_id == run_id))
            session.expunge_all()
        return left

    def beat(self, worker: Worker) -> None:
        """The worker lives, and so does the run it holds."""
        with self._write() as session:
            session.merge(worker).heartbeat = unix_now()
            theirs = (Run.worker == worker.id, Run.status.in_(HELD))
            session.execute(update(Run).where(*theirs).values(heartbeat=unix_now()))

    def leave(self, worker_id: str) -> None:
        """The worker is gone; what it held is interrupted."""
        with self._write() as session:
            session.execute(delete(Worker).where(Worker.id == worker_id))
            _interrupt(session, Run.worker == worker_id)

    def reap(self) -> None:
        """Interrupt runs whose worker has been silent for too long, and forget that worker."""
        limit = unix_now() - SILENT_SECONDS
        silent = Run.status.in_(HELD) & (Run.heartbeat < limit)
        with self._read() as session:
            if session.scalar(select(Run.id).where(silent).limit(1)) is None:
                return
        with self._write() as session:
            _interrupt(session, silent)
            session.execute(delete(Worker).where(Worker.heartbeat < limit))

    def _change(self, run_id: str, **values: Any) -> None:
        with self._write() as session:
            if session.execute(update(Run).where(Run.id == run_id).values(values)).rowcount != 1:  # type: ignore[attr-defined]
                raise UnknownNameError(f"There is no run {run_id!r}.")


def _take(session: Session, run_id: str, worker: str, origins: Sequence[str]) -> bool:
    values = {"status": "starting", "worker": worker, "heartbeat": unix_now(), "message": ""}
    taken = session.execute(update(Run).where(Run.id == run_id, Run.status.in_(origins)).values(values))
    return taken.rowcount == 1  # type: ignore[attr-defined]


def _record(session: Session, run_id: str, worker: str, event: Event) -> None:
    changes = event.run_changes() | {"heartbeat": unix_now()}
    if event.ends:
        changes |= {"finished": unix_now(), "worker": None}
    mine = update(Run).where(Run.id == run_id, Run.worker == worker, Run.status.in_(HELD)).values(changes)
    if session.execute(mine).rowcount != 1:  # type: ignore[attr-defined]
        raise LostRunError(run_id)
    if isinstance(event, Started):
        _next_metric(session)  # notes the largest id before its row may go
        for points in (Metric, Change):
            session.execute(delete(points).where(points.run_id == run_id, points.step > event.step))
        session.execute(update(Run).where(Run.id == run_id, Run.started.is_(None)).values(started=unix_now()))
    if event.metric_kind:
        session.add(Metric(id=_next_metric(session), run_id=run_id, kind=event.metric_kind, **event.metric()))
    if isinstance(event, RateChanged):
        session.add(Change(run_id=run_id, time=unix_now(), **event.change()))


def _next_metric(session: Session) -> int:
    """An id above all before it: a chart asks for what is newer than the last it has."""
    counter = session.get(Counter, "metrics", with_for_update=True)
    if counter is None:
        session.add(counter := Counter(name="metrics", value=0))
    counter.value = 1 + max(counter.value, session.scalar(select(func.max(Metric.id))) or 0)
    return counter.value


def _interrupt(session: Session, which: Any) -> None:
    """The worker's name stays: it may `reclaim` the run if it was only out of reach."""
    values = {"status": "interrupted", "message": GONE, "progress_text": ""}
    session.execute(update(Run).where(which, Run.status.in_(HELD)).values(values))


def clean_name(name: str) -> str:
    """A name as it is stored: one line, no control characters. Raises PlaygroundError when nothing is left."""
    cleaned = " ".join("".join(c if c.isprintable() else " " for c in name).split())[:NAME_LENGTH].strip()
    if not cleaned:
        raise PlaygroundError("A run needs a name: type at least one visible character.")
    return cleaned


@lru_cache(maxsize=4)
def _open(url: str) -> RunStore:
    return RunStore(url)


def store() -> RunStore:
    """The run store that the settings name, opened once per process."""
    return _open(settings().store_url)
