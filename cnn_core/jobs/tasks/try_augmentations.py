"""Trying every augmentation on a trained network: how often its predictions change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel

from cnn_core.data.catalogue.library import Progress
from cnn_core.data.catalogue.resplit import prepare_for
from cnn_core.data.explore.statistics import sample
from cnn_core.jobs.tasks.kind import Report, TaskKind, register
from cnn_core.jobs.tasks.task import Task
from cnn_core.runs.store import store

if TYPE_CHECKING:
    from cnn_core.evaluation.label_safety import LabelSafety

IMAGES = 200
RESULT = "result.npz"


class TryRequest(BaseModel):
    run: str


def _run(request: TryRequest, report: Report, folder: Path) -> dict[str, Any]:
    from cnn_core.evaluation.label_safety import at_strengths, kinds_to_try, label_safety
    from cnn_core.inference import Classifier

    dataset = prepare_for(store().get(request.run).recipe.data, report)
    chosen = sample(dataset, "validation", None, IMAGES)
    tries = at_strengths(kinds_to_try(dataset.shape[0]), dataset.shape[1])

    def progress(fraction: float) -> None:
        report(Progress("trying", round(fraction * len(tries)), len(tries), "augmentations"))

    images, labels = np.asarray(dataset.images[chosen]), dataset.labels[chosen]
    classify = Classifier.open(request.run).classify
    result = label_safety(images, labels, len(dataset.classes), classify, tries, progress=progress)
    np.savez(folder / RESULT, **vars(result))
    return {"images": len(chosen), "tries": len(tries)}


KIND = register(TaskKind("augmentations", TryRequest, _run))


def tries_of(run_id: str, version: str) -> Task[TryRequest]:
    """Every augmentation on the best weights of a run; `version` is theirs."""
    return Task(KIND, f"{run_id}-{version}")


def read_result(file: Path) -> LabelSafety:
    """From the file RESULT of a task that is done."""
    from cnn_core.evaluation.label_safety import LabelSafety

    with np.load(file, allow_pickle=False) as arrays:
        return LabelSafety(**{name: arrays[name] for name in arrays})
