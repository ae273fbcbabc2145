"""Fetch and import a data set in a process of its own, while pages watch its progress."""

from __future__ import annotations

import subprocess
from pathlib import Path

from cnn_core.jobs.processes import log_file, spawn

_under_way: dict[tuple[str, int], subprocess.Popen[bytes]] = {}


def prepare_in_background(dataset: str, image_size: int = 0) -> None:
    """Start importing a data set unless this process is already at it. Watch `data.library.preparation`."""
    known = _under_way.get((dataset, image_size))
    if known is None or known.poll() is not None:
        arguments = ("datasets", "--get", dataset, "--size", str(image_size))
        _log(dataset).unlink(missing_ok=True)
        _under_way[dataset, image_size] = spawn("cnn_core", *arguments, log=_log(dataset).stem)


def preparing(dataset: str, image_size: int = 0) -> bool:
    """Whether an import started by this process is under way."""
    known = _under_way.get((dataset, image_size))
    return known is not None and known.poll() is None


def preparation_error(dataset: str, image_size: int = 0) -> str:
    """Why the last import started by this process failed, in a sentence; empty when it did not."""
    known = _under_way.get((dataset, image_size))
    if known is None or known.poll() in (None, 0):
        return ""
    lines = _log(dataset).read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "The import ended without saying why."


def _log(dataset: str) -> Path:
    return log_file(f"prepare-{dataset}")
