"""The stage on the page Inside: the image above it, and the requests it sends."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnn_core.data.dataset import ImageDataset
from cnn_core.errors import PlaygroundError
from cnn_core.runs.live import mark_watched
from cnn_core.runs.store import store
from cnn_core.runs.tables import Run
from pages.ui.address import query
from pages.ui.frame.errors import errors_shown, show_error
from pages.ui.inside import frames, present
from pages.ui.inside.subject import CAMERA, DRAWING, UPLOAD, pick
from pages.ui.runs.records import interval
from pages.ui.stage import component
from pages.ui.understand.classifiers import BEST, open_classifier, quiet

CHANNEL = "inside"
BROUGHT = (UPLOAD, CAMERA, DRAWING)


def show(run: Run, dataset: ImageDataset | None, above: DeltaGenerator) -> None:
    """The stage, and in `above` the choice of the image. The stage is mounted once; what it asks for runs the fragment
    alone."""
    component.mount(CHANNEL)
    still = query.asked("from") in BROUGHT  # a file that arrives while its box is drawn anew would be lost
    every = interval() if run.status == "running" and not still else None
    with above:
        st.fragment(_feed, run_every=every)(run, dataset)


@errors_shown()
def _feed(run: Run, dataset: ImageDataset | None) -> None:
    quiet()
    request = component.asked(CHANNEL)
    if not str(request.get("key", "")).startswith(f"{run.id}:"):
        request = {}  # of the run that was on show before
    if run.status == "running":
        run = store().get(run.id)
        if run.status != "running":
            st.rerun()
    kept = frames.epochs_of(run)
    epoch = _readable(run, _known(request.get("epoch"), kept, _in_address(run, kept)), kept)
    subject = pick(run, open_classifier(run, frames.weights_of(run, epoch)), dataset)
    _follow(request.get("show"), run, kept)
    opened, blocks = _opened(request.get("open")), _blocks(request.get("blocks"))
    payload = None
    if run.status == "running" and dataset is not None:
        if request.get("epoch", None if query.asked("epoch") else frames.LIVE) == frames.LIVE:
            payload = present.payload(run, subject, dataset, opened, tuple(blocks))
        else:
            mark_watched(run.id)
    component.feed(CHANNEL, payload or frames.payload(run, epoch, subject, dataset, opened, blocks))


def _readable(run: Run, epoch: int, kept: list[int]) -> int:
    """The epoch, or where its weights are damaged a sentence and the last one whose weights are not. Raises
    PlaygroundError when there is none."""
    first: PlaygroundError | None = None
    for candidate in [epoch, *(other for other in reversed(kept) if other != epoch)]:
        try:
            open_classifier(run, frames.weights_of(run, candidate))
        except PlaygroundError as error:
            first = first or error
            continue
        if first:
            show_error(first)
        return candidate
    raise first or PlaygroundError("This run has no weights yet: they are written at the end of its first epoch.")


def _in_address(run: Run, kept: list[int]) -> int:
    wanted = query.asked("epoch")
    if wanted in ("", BEST):
        return run.best_epoch or 0
    if wanted.isascii() and wanted.isdigit() and int(wanted[:9]) in kept:
        return int(wanted[:9])
    shown = ", ".join(map(str, kept[:12])) + (" …" if len(kept) > 12 else "")
    show_error(f"There are no weights of epoch {wanted[:60]!r} here. Kept are {shown}. Shown is the best epoch.")
    query.put(epoch=None)
    return run.best_epoch or 0


def _known(value: Any, kept: list[int], otherwise: int) -> int:
    return value if type(value) is int and value in kept else otherwise


def _follow(shown: Any, run: Run, kept: list[int]) -> None:
    """The address names the epoch on show."""
    if shown == frames.LIVE:
        query.put(epoch=None)
    if type(shown) is int and shown in kept:
        query.put(epoch=None if shown == run.best_epoch else shown)


def _opened(value: Any) -> tuple[str, int] | None:
    match value:
        case [str() as address, int() as unit] if type(unit) is int:
            return address, unit
    return None


def _blocks(value: Any) -> list[str]:
    """Addresses of blocks."""
    known = isinstance(value, list)
    return [block for block in value if isinstance(block, str) and len(block) < 40][:64] if known else []
