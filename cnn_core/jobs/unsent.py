"""Events that the store could not take, in the run's folder: a killed worker takes no point of the curves with it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict

from cnn_core.runs.events import EpochEnd, Event, RateChanged, Report, Started
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store

NAME = "unsent.jsonl"
RATE = "learning rate {}"

Point = tuple[str, int]  # what it is of, and its step
KEPT = (Started, Report, EpochEnd, RateChanged)  # the others end a try
KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in KEPT}


class Unsent:
    """One event a line, in order, complete from the first that was not delivered to the last that was posted."""

    def __init__(self, folder: RunFolder):
        self._files = folder.files

    def add(self, events: Iterable[Event]) -> None:
        """Append events. Where that fails they wait in memory alone."""
        lines = [json.dumps({"kind": type(event).__name__} | asdict(event)) + "\n" for event in events]
        try:
            self._files.append(NAME, "".join(lines))
        except OSError as error:
            logging.getLogger(__name__).warning("Events wait in memory only, %s cannot be written: %s", NAME, error)

    def read(self, recorded: Callable[[], set[Point]]) -> list[Event]:
        """What an earlier worker left, without the points that were `recorded` after all."""
        if self._files.version(NAME) is None:
            return []
        known = recorded()
        events = []
        for event in self._events():
            if isinstance(event, Started):
                known = {(kind, step) for kind, step in known if step <= event.step}
            elif (point := point_of(event)) in known:
                continue
            else:
                known.add(point)
            events.append(event)
        return events

    def _events(self) -> Iterable[Event]:
        try:
            lines = self._files.open(NAME).read_text("utf-8", errors="replace").splitlines()
        except OSError:
            return
        for line in lines:
            try:
                values = json.loads(line)
                kind = KINDS.get(values.pop("kind"))
                if kind:
                    yield kind(**values)
            except (ValueError, TypeError, KeyError, AttributeError):
                return  # a line cut short by a crash is the last one

    def clear(self) -> None:
        """Everything was delivered."""
        try:
            self._files.delete(NAME)
        except OSError as error:
            logging.getLogger(__name__).warning("%s cannot be removed: %s", NAME, error)


def recorded_points(run_id: str) -> set[Point]:
    """The points and changes of a run that the store has."""
    points = {(metric.kind, metric.step) for metric in store().metrics(run_id)}
    return points | {(RATE.format(change.new), change.step) for change in store().changes(run_id)}


def point_of(event: Event) -> Point:
    """By which an event is known among `recorded_points`."""
    if isinstance(event, RateChanged):
        return RATE.format(event.learning_rate), event.step
    return event.metric_kind, getattr(event, "step", 0)
