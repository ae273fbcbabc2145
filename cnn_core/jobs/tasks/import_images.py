"""Importing: an upload goes in, a data set comes out."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from cnn_core.data.catalogue.library import Progress
from cnn_core.data.incoming.import_spec import ImportReport, ImportSpec
from cnn_core.data.incoming.upload import Upload
from cnn_core.jobs.tasks.kind import Report, TaskKind, register
from cnn_core.jobs.tasks.task import Task, TaskState


class ImportRequest(BaseModel):
    upload: str = Field(pattern=r"^[0-9a-f]{16}$")
    spec: ImportSpec
    name: str
    made_by: str = ""
    onto: str = ""


def _run(request: ImportRequest, report: Report, folder: Path) -> dict[str, Any]:
    from cnn_core.data.incoming.importing import import_images

    upload = Upload(request.upload)

    def report_and_keep(progress: Progress) -> None:
        upload.keep()
        report(progress)

    upload.keep()
    files = upload.files()
    done = import_images(
        files,
        upload.layout(files),
        request.spec,
        request.name,
        made_by=request.made_by,
        onto=request.onto,
        progress=report_and_keep,
    )
    return asdict(done)


KIND = register(TaskKind("import", ImportRequest, _run))


def import_of(upload: Upload) -> Task[ImportRequest]:
    """The import of an upload."""
    return Task(KIND, upload.token)


def report_of(state: TaskState | None) -> ImportReport | None:
    """What became of it, once it is done."""
    return ImportReport(**state.result) if state and state.result else None
