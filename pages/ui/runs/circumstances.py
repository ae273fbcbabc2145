"""What two runs of one recipe may differ in all the same: where and how they were computed, and changes by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cnn_core.errors import PlaygroundError
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store
from cnn_core.runs.tables import Change, Run
from pages.ui.frame.words import label, significant

UNKNOWN = "–"
SAME = (
    "Nothing is known to differ: recipe, seed, images, device and arithmetic are the same. On one computer the results "
    "are then the same too; a processor with other instructions, or another version of PyTorch, can round otherwise."
)
ELSEWHERE = "The recipes are the same. The runs differ in what is listed here, so their results may differ too."


def circumstances(run: Run) -> dict[str, str]:
    """What the results of a run depend on beside its recipe, name -> value; – where it is not known."""
    plan = _plan(run)
    return {
        "Images (hash)": run.dataset_hash[:12] or UNKNOWN,
        "Device": run.device or UNKNOWN,
        "Arithmetic": run.precision or UNKNOWN,
        "Frozen layers": (plan.get("features") or {}).get("sentence") or UNKNOWN,
        "Instruction set": str(plan.get("instructions", UNKNOWN)),
        "PyTorch": str(plan.get("torch", UNKNOWN)),
        "Trained": "To the end" if run.status == "finished" else f"{run.epoch:.1f} epochs, {run.status}",
        "Changed by hand": "; ".join(map(change_text, store().changes(run.id))) or "Nothing",
    }


def differing(runs: Sequence[Run]) -> dict[str, list[str]]:
    """The rows of `circumstances` in which the runs differ: name -> a value for each run."""
    all_of_them = [circumstances(run) for run in runs]
    rows = {name: [values[name] for values in all_of_them] for name in all_of_them[0]}
    return {name: values for name, values in rows.items() if len(set(values)) > 1}


def change_text(change: Change) -> str:
    """Such as "Learning rate 0.001 → 0.0005 at epoch 3.2"."""
    old, new = significant(change.old), significant(change.new)
    return f"{label(change.name)} {old} → {new} at epoch {change.epoch:.1f}"


def _plan(run: Run) -> dict[str, Any]:
    try:
        return RunFolder(run.id).plan()
    except PlaygroundError:
        return {}
