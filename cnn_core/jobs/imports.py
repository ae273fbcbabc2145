"""Imports in processes of their own, while pages watch: a tray goes in, a data set or a sentence comes out."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from cnn_core.data.catalogue.library import TICK, Progress
from cnn_core.data.incoming.import_spec import ImportReport, ImportSpec
from cnn_core.data.incoming.importing import import_images
from cnn_core.data.incoming.tray import Tray
from cnn_core.errors import CancelledError, PlaygroundError
from cnn_core.into_place import move_into_place
from cnn_core.jobs.processes import spawn

REQUEST, PROGRESS, DONE, FAILED, CANCEL, LOCK = "request", "progress", "done", "failed", "cancel", "lock"
UNEXPLAINED = "The import ended without saying why. Try again; the log folder of the server has the details."

_children: dict[str, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class ImportState:
    """How an import stands: `busy`, or ended with a report or with the sentence of what went wrong."""

    busy: bool = False
    progress: Progress | None = None
    seconds_left: float | None = None
    report: ImportReport | None = None
    error: str = ""


def start_import(tray: Tray, spec: ImportSpec, name: str, made_by: str = "", onto: str = "") -> None:
    """Import what lies on a tray in the background; watch `import_state`."""
    for name_of_old in (PROGRESS, DONE, FAILED, CANCEL):
        (tray.folder / name_of_old).unlink(missing_ok=True)
    request = {"spec": spec.model_dump(), "name": name, "made_by": made_by, "onto": onto}
    _put(tray.folder / REQUEST, request)
    _children[tray.token] = spawn("cnn_core.jobs.imports", tray.token, log="import")


def cancel_import(tray: Tray) -> None:
    """Ask the import of a tray to end; what it wrote is removed."""
    (tray.folder / CANCEL).touch()


def import_state(tray: Tray) -> ImportState | None:
    """How the import of a tray stands, None when none was asked for. Works in every process."""
    if not (tray.folder / REQUEST).exists():
        return None
    if done := _get(tray.folder / DONE):
        return ImportState(report=ImportReport(**done))
    if failed := _get(tray.folder / FAILED):
        return ImportState(error=failed["message"])
    child = _children.get(tray.token)
    if (child is None or child.poll() is not None) and not _is_held(tray):
        return ImportState(error=UNEXPLAINED)
    told = _get(tray.folder / PROGRESS)
    if told is None:
        return ImportState(busy=True)
    progress = Progress(**told["progress"])
    rest = told["seconds"] / progress.done * (progress.total - progress.done) if progress.done else None
    return ImportState(busy=True, progress=progress, seconds_left=rest)


def forget_import(tray: Tray) -> None:
    """Back to choosing: the pictures stay on the tray."""
    for name in (REQUEST, PROGRESS, DONE, FAILED, CANCEL):
        (tray.folder / name).unlink(missing_ok=True)


def run_import(token: str) -> None:
    """What the background process does; its result lies on the tray."""
    tray = Tray(token)
    with FileLock(tray.folder / LOCK):
        request = json.loads((tray.folder / REQUEST).read_text("utf-8"))
        try:
            files = tray.files()
            report = import_images(
                files, tray.layout(files), ImportSpec(**request["spec"]), request["name"],
                made_by=request["made_by"], onto=request["onto"],
                tell=_teller(tray.folder / PROGRESS), cancelled=(tray.folder / CANCEL).exists,
            )  # fmt: skip
            _put(tray.folder / DONE, asdict(report))
        except CancelledError:
            forget_import(tray)
        except PlaygroundError as error:
            _put(tray.folder / FAILED, {"message": str(error)})
        except OSError as error:
            _put(tray.folder / FAILED, {"message": f"The import could not be written ({error.strerror}). Make room."})


def _teller(path: Path) -> Callable[[Progress], None]:
    """Writes progress at most once a TICK, with the seconds since the first picture."""
    began = time.monotonic()
    last = -TICK

    def tell(progress: Progress) -> None:
        nonlocal last
        if time.monotonic() - last >= TICK:
            last = time.monotonic()
            _put(path, {"progress": asdict(progress), "seconds": last - began})

    return tell


def _is_held(tray: Tray) -> bool:
    try:
        with FileLock(tray.folder / LOCK).acquire(timeout=0):
            return False
    except Timeout:
        return True


def _put(path: Path, values: dict[str, Any]) -> None:
    draft = path.with_name(f"{path.name}.draft")
    draft.write_text(json.dumps(values), "utf-8")
    move_into_place(draft, path)


def _get(path: Path) -> dict[str, Any] | None:
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError):
        return None


if __name__ == "__main__":
    run_import(sys.argv[1])
