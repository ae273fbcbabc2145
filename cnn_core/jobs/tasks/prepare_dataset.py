"""Preparing: the files of a data set are fetched, where they are not here, and its images made ready to train on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from cnn_core.data.catalogue.library import prepare
from cnn_core.jobs.tasks.kind import Report, TaskKind, register
from cnn_core.jobs.tasks.task import Task


class PrepareRequest(BaseModel):
    dataset: str
    image_size: int = 0


def _run(request: PrepareRequest, report: Report, folder: Path) -> dict[str, Any]:
    dataset = prepare(request.dataset, request.image_size, report)
    return {"images": len(dataset.labels)}


KIND = register(TaskKind("prepare", PrepareRequest, _run))


def preparation_of(dataset: str, image_size: int = 0) -> Task[PrepareRequest]:
    return Task(KIND, f"{dataset}-{image_size}")
