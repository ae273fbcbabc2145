"""What happened in a run, written into its own folder: with it the run can be rebuilt without the store."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from cnn_core.errors import PlaygroundError, RecipeError, RunFilesError
from cnn_core.recipe import Recipe
from cnn_core.runs.events import Ended, EpochEnd, Event, Finished, RateChanged, Report, Started
from cnn_core.runs.files import RunFiles
from cnn_core.runs.tables import Run

RECORD, JOURNAL = "run.json", "events.jsonl"
KINDS = {kind.__name__: TypeAdapter(kind) for kind in (Started, Report, EpochEnd, RateChanged, Finished, Ended)}
MOST_BYTES = 200_000_000  # of a journal; an epoch of a second adds 300


class Record(BaseModel):
    """What is known of a run before it begins."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    name: Annotated[str, Field(min_length=1, max_length=200)]
    number: Annotated[int, Field(ge=0, le=2**31 - 1)]
    created: float  # Unix seconds
    recipe: Recipe


class Journal:
    """Events of a run, one a line, as they come: 0.1 ms each."""

    def __init__(self, files: RunFiles):
        self._files = files

    def add(self, event: Event) -> None:
        """Events are in the store too: where this fails, training goes on."""
        if type(event).__name__ not in KINDS:
            return
        line = {"kind": type(event).__name__, "time": time.time()} | asdict(event)
        try:
            self._files.append(JOURNAL, json.dumps(line) + "\n")
        except OSError as error:
            logging.getLogger(__name__).warning("%s cannot be written: %s", JOURNAL, error)

    def read(self) -> Iterator[tuple[float, Event]]:
        """Time (Unix seconds) and event. What cannot be read, such as a line cut short by a crash, is left out."""
        path = self._files.open(JOURNAL)
        if path.stat().st_size > MOST_BYTES:
            raise RunFilesError(f"{JOURNAL} has more than {MOST_BYTES // 1_000_000} MB.")
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                try:
                    values: dict[str, Any] = json.loads(line)
                    when, kind = float(values.pop("time")), KINDS[values.pop("kind")]
                    yield when, kind.validate_python(values)
                except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                    continue


def write_record(files: RunFiles, run: Run) -> None:
    """Raises RecipeError where the recipe cannot be read."""
    record = Record(name=run.name, number=run.number, created=run.created, recipe=run.recipe)
    files.put(RECORD, lambda path: path.write_text(record.model_dump_json(indent=1), "utf-8"))


def read_record(files: RunFiles) -> Record:
    """Raises RunFilesError: what is missing, or cannot be read."""
    if files.version(RECORD) is None:
        raise RunFilesError(f"It has no {RECORD}: it never began, or an earlier version of CNN Playground made it.")
    try:
        return Record.model_validate_json(files.open(RECORD).read_bytes())
    except (ValidationError, RecipeError, OSError, RecursionError) as error:
        why = f" {error}" if isinstance(error, PlaygroundError) else ""
        raise RunFilesError(f"Its {RECORD} cannot be read.{why}") from None
