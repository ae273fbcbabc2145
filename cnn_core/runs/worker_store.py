"""The side of the run store that workers use: claims, events, commands, heartbeats."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from cnn_core.runs.clock import unix_now
from cnn_core.runs.events import Event, RateChanged, Started, finite
from cnn_core.runs.tables import HELD, RESUMABLE, Change, Command, Counter, Metric, Run, Worker
from cnn_core.runs.transactions import Transactions

DEVICES = ("auto", "cpu", "cuda", "mps")  # what a recipe may ask for
SILENT_SECONDS = 6.0  # heartbeats come every 1.5 s: after three missed ones and a margin the worker is gone
GONE = "The process that trained this run is gone. Nothing up to the last checkpoint is lost."


class LostRunError(Exception):
    """This worker's claim on a run is gone (reaped, deleted, taken over): it must stop writing."""


class WorkerStore(Transactions):
    """What a worker asks of the store and reports to it.

    A transaction locks workers first, then runs, then what belongs to them, then counters, and several of a kind by id:
    two that lock the same rows in different orders would wait for each other on PostgreSQL.
    """

    def claim(self, worker: str, devices: Collection[str] = DEVICES) -> str | None:
        """Take the run that has waited longest of those that ask for one of these devices ("auto" asks for any).
        Returns its id, or None when there is none."""
        wanted = Run.device_wanted.in_(["auto", *devices])
        waiting = select(Run.id).where(Run.status == "queued", wanted).order_by(Run.queued, Run.number).limit(1)
        with self._read() as session:
            if session.scalar(waiting) is None:
                return None
        with self._write() as session:
            run_id = session.scalar(waiting.with_for_update(skip_locked=True))  # another worker takes the next
            return run_id if run_id and _take(session, run_id, worker, ("queued",)) else None

    def take(self, run_id: str, worker: str) -> bool:
        """Take this run if it is queued, paused or interrupted. Returns whether it was."""
        with self._write() as session:
            if not _take(session, run_id, worker, ("queued", *RESUMABLE)):
                return False
            session.execute(delete(Command).where(Command.run_id == run_id))
            return True

    def holds(self, worker: str, run_id: str) -> bool:
        """Whether the worker has the run."""
        theirs = select(Run.id).where(Run.id == run_id, Run.worker == worker, Run.status.in_(HELD))
        with self._read() as session:
            return session.scalar(theirs) is not None

    def record(self, run_id: str, worker: str, *events: Event) -> None:
        """Write the columns and metric rows of events, all or none. Raises LostRunError when `worker` does not hold
        the run."""
        with self._write() as session:
            for event in events:
                record(session, run_id, worker, event)

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
            session.get(Worker, worker.id, with_for_update=True)
            session.merge(worker).heartbeat = unix_now()
            theirs = _lock_held(session, Run.worker == worker.id)
            session.execute(update(Run).where(Run.id.in_(theirs)).values(heartbeat=unix_now()))

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
            gone = session.scalars(
                select(Worker.id).where(Worker.heartbeat < limit).order_by(Worker.id).with_for_update()
            )
            session.execute(delete(Worker).where(Worker.id.in_(gone.all())))
            _interrupt(session, silent)


def living() -> ColumnElement[bool]:
    """Whether a worker has sent a heartbeat lately."""
    return Worker.heartbeat > unix_now() - SILENT_SECONDS


def _take(session: Session, run_id: str, worker: str, origins: Sequence[str]) -> bool:
    values = {"status": "starting", "worker": worker, "heartbeat": unix_now(), "message": ""}
    taken = session.execute(update(Run).where(Run.id == run_id, Run.status.in_(origins)).values(values))
    return taken.rowcount == 1  # type: ignore[attr-defined]


def record(session: Session, run_id: str, worker: str, event: Event) -> None:
    """Write one event of a run that `worker` holds. Raises LostRunError when it does not."""
    changes = {name: _stored(name, value) for name, value in event.run_changes().items()} | {"heartbeat": unix_now()}
    if event.ends:
        changes |= {"finished": unix_now(), "worker": None}
    mine = update(Run).where(Run.id == run_id, Run.worker == worker, Run.status.in_(HELD)).values(changes)
    if session.execute(mine).rowcount != 1:  # type: ignore[attr-defined]
        raise LostRunError(run_id)
    if isinstance(event, Started):
        for points in (Metric, Change):
            session.execute(delete(points).where(points.run_id == run_id, points.step > event.step))
        session.execute(update(Run).where(Run.id == run_id, Run.started.is_(None)).values(started=unix_now()))
    if event.metric_kind:
        number = next_number(session, "metrics")
        session.add(Metric(id=number, run_id=run_id, kind=event.metric_kind, **event.metric()))
    elif event.quantities:
        known = session.scalars(select(Run.quantities).where(Run.id == run_id)).one()
        both = known | finite(event.quantities)
        session.execute(update(Run).where(Run.id == run_id).values(quantities=both))
    if isinstance(event, RateChanged):
        session.add(Change(run_id=run_id, time=unix_now(), **event.change()))


def next_number(session: Session, name: str) -> int:
    """The next of the numbers called `name`: above all before it, also above those whose rows are gone."""
    counting = update(Counter).where(Counter.name == name).values(value=Counter.value + 1).returning(Counter.value)
    return session.scalars(counting.execution_options(synchronize_session=False)).one()


def at_least(session: Session, name: str, value: int) -> None:
    """Later numbers called `name` are above `value`."""
    session.execute(update(Counter).where(Counter.name == name, Counter.value < value).values(value=value))


def _stored(name: str, value: Any) -> Any:
    """A value as its column takes it: PostgreSQL refuses text that is too long, and keeps NaN where SQLite has NULL."""
    column = Run.__table__.columns[name]
    if isinstance(value, str):
        return value.replace("\0", "")[: getattr(column.type, "length", None)]
    return None if column.nullable and isinstance(value, float) and math.isnan(value) else value


def _interrupt(session: Session, which: ColumnElement[bool]) -> None:
    """The worker's name stays: it may `reclaim` the run if it was only out of reach."""
    values = {"status": "interrupted", "message": GONE, "progress_text": ""}
    session.execute(update(Run).where(Run.id.in_(_lock_held(session, which))).values(values))


def _lock_held(session: Session, which: ColumnElement[bool]) -> Sequence[str]:
    """Ids of the runs that a worker has, of those that `which` says, locked one after another."""
    held = select(Run.id).where(which, Run.status.in_(HELD)).order_by(Run.id).with_for_update(key_share=True)
    return session.scalars(held).all()
