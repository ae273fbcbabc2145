"""What is printed: JSON lines on standard output, sentences on standard error."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

from cnn_core.data.catalogue.library import Progress
from cnn_core.runs.tables import Run


def print_line(line: dict[str, Any]) -> None:
    """One JSON line, at once; letters outside ASCII are escaped, so that every terminal can show it."""
    print(json.dumps(finite(line)), flush=True)


def print_report(report: dict[str, Any]) -> None:
    """Indented JSON for people to read, escaped only where the terminal cannot show the letters."""
    shows_all = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(finite(report), indent=2, ensure_ascii=not shows_all), flush=True)


def finite(value: Any) -> Any:
    """The same with None, in JSON null, for every float that is not finite: JSON has no NaN and no infinity."""
    match value:
        case dict():
            return {name: finite(one) for name, one in value.items()}
        case list() | tuple():
            return [finite(one) for one in value]
        case float():
            return value if math.isfinite(value) else None
    return value


def print_sentence(sentence: object) -> None:
    print(sentence, file=sys.stderr, flush=True)


def print_counter(progress: Progress) -> None:
    """How far an import is, on one line of a terminal; nothing elsewhere."""
    if sys.stderr.isatty():
        ends = "\n" if progress.done >= progress.total else ""
        print(f"\r{progress.done:,.0f} of {progress.total:,.0f} {progress.unit}", end=ends, file=sys.stderr, flush=True)


def summary(run: Run) -> dict[str, Any]:
    """A run as one line."""
    columns = ("status", "message", "device", "precision", "epoch", "seconds", "best_epoch", "best_validation_loss")
    values = {name: getattr(run, name) for name in columns}
    return {"run": run.id, "name": run.name, **values, "test_accuracy": run.test_accuracy, "test_loss": run.test_loss}
