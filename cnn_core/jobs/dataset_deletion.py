"""Deleting data sets that people imported: never from under a run."""

from __future__ import annotations

from cnn_core.data.catalogue import versions
from cnn_core.errors import PlaygroundError
from cnn_core.runs.store import store

NAMED = 8  # runs in the refusal


def delete_dataset(dataset_id: str) -> None:
    """Remove a version from the catalogue. Raises PlaygroundError, naming them, while runs use it."""
    if runs := store().runs_on(dataset_id):
        names = ", ".join(run.name for run in runs[:NAMED]) + (" …" if len(runs) > NAMED else "")
        raise PlaygroundError(
            f"{versions.about(dataset_id).title} is used by {len(runs)} run{'s' if len(runs) > 1 else ''}: {names}. "
            "Delete them on the Runs page first."
        )
    versions.delete(dataset_id)
