"""The imported data sets on disk: each source is read once per image size, whoever asks first."""

from __future__ import annotations

import json
import math
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from cnn_core.data.catalogue import versions
from cnn_core.data.catalogue.registry import DatasetSource, dataset_sources
from cnn_core.data.dataset import META, ImageDataset, write
from cnn_core.data.splits import make_splits
from cnn_core.errors import DatasetUnavailableError, RecipeError
from cnn_core.settings import settings

LARGEST = 256  # pixels: the range of DataSpec.image_size
TICK = 0.25  # seconds between two reports


@dataclass(frozen=True)
class Progress:
    """How far an import, or other work at the start of a run, is."""

    stage: str  # "downloading" or "importing"
    done: float
    total: float
    unit: str  # "MB" or "images"

    def __str__(self) -> str:
        """Such as "Importing: 1,200 of 5,600 images"."""
        return f"{self.stage.capitalize()}: {self.done:,.0f} of {self.total:,.0f} {self.unit}"


Report = Callable[[Progress], None]


def is_ready(name: str, image_size: int = 0) -> bool:
    """Whether the images are imported at this size (0: the source's own). Raises UnknownNameError, RecipeError."""
    folder = _folder(dataset_sources.get(name), image_size)
    return (folder / META).is_file() or _is_imported(name, folder)


def open_dataset(name: str, image_size: int = 0) -> ImageDataset:
    """The imported images; those that need no download are imported at once, the bundled ones within 0.3 s.

    Raises DatasetUnavailableError when the images are not imported yet, UnknownNameError, RecipeError.
    """
    source = dataset_sources.get(name)
    if source.download_megabytes and not is_ready(name, image_size):
        raise DatasetUnavailableError(
            f"{source.title} is not here yet. Load it on the Data page, "
            f"or with: python -m cnn_core datasets --get {name}"
        )
    return prepare(name, image_size)


def version_of(name: str, image_size: int = 0) -> str:
    """Text that is another one once the images are others: what is made of them can be kept under it. Costs one look at
    a file; images that are not there yet are opened first, and raise as `open_dataset` does."""
    meta = _folder(dataset_sources.get(name), image_size) / META
    if not meta.is_file():
        open_dataset(name, image_size)
    found = meta.stat()
    return f"{meta.parent.name}-{found.st_mtime_ns}-{found.st_ino}"


def prepare(name: str, image_size: int = 0, progress: Report | None = None) -> ImageDataset:
    """Import the images unless that is done, and open them. Blocks while another process imports the same source.

    `progress` is called about four times a second while this, or the other process, is at work; during a download
    from another thread.
    Raises DatasetUnavailableError, UnknownNameError, RecipeError.
    """
    source = dataset_sources.get(name)
    folder = _folder(source, image_size)
    if not is_ready(name, image_size):
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with _alone(source, image_size, progress):
                if not is_ready(name, image_size):
                    _import(source, folder, progress)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise DatasetUnavailableError(
                f"{source.title} could not be written to {folder.parent} ({reason}). "
                "Make room or allow writing there, or set CNN_PLAYGROUND_HOME to another folder, then try again."
            ) from error
    return versions.open_version(versions.about(name)) if _is_imported(name, folder) else ImageDataset.open(folder)


def _is_imported(name: str, folder: Path) -> bool:
    """Whether these are the images that a person imported, which nothing here could make again."""
    return versions.is_own(name) and folder == versions.folder_of(versions.about(name))


def preparation(name: str, image_size: int = 0) -> Progress | None:
    """How far the import under way in any process is, or None when there is none."""
    source = dataset_sources.get(name)
    folder = _folder(source, image_size)
    try:
        with _lock(source).acquire(timeout=0):
            return None
    except (Timeout, OSError):
        pass
    try:
        report = json.loads(_report_file(source).read_text("utf-8"))
        return Progress(**report["progress"]) if report["folder"] == folder.name else None
    except (OSError, ValueError):
        return None


def _folder(source: DatasetSource, image_size: int) -> Path:
    if not 0 <= image_size <= LARGEST:
        raise RecipeError(f"data.image_size: choose 0 (the data set's own size) to {LARGEST}, not {image_size}.")
    return settings().datasets / f"{source.name}-{image_size or source.size}"


def _lock(source: DatasetSource) -> FileLock:
    """One lock a source and not a size, as all sizes download to the same files."""
    return FileLock(settings().datasets / f"{source.name}.lock")


def _report_file(source: DatasetSource) -> Path:
    return settings().datasets / f"{source.name}.progress.json"


@contextmanager
def _alone(source: DatasetSource, image_size: int, progress: Report | None) -> Iterator[None]:
    """Hold the source's lock; while another process has it, pass on that one's progress."""
    lock = _lock(source)
    while True:
        try:
            lock.acquire(timeout=TICK)
            break
        except Timeout:
            report = preparation(source.name, image_size)
            if report and progress:
                progress(report)
    try:
        yield
    finally:
        lock.release()


def _import(source: DatasetSource, folder: Path, progress: Report | None) -> None:
    """Read the source into a folder beside `folder`, then rename: what is there is always whole."""
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # of a process that was killed
    say = _reporter(source, folder, progress)
    try:
        with _watched_download(source, say):
            raw = source.read(settings().downloads)
        size = int(folder.name.rsplit("-", 1)[1])
        shape = (source.channels, size, size)
        _require_room(source, len(raw.labels) * math.prod(shape), folder.parent)
        partial.mkdir()
        for done in write(partial, source.name, shape, raw, raw.splits or make_splits(raw.labels, raw.is_test)):
            say(Progress("importing", done, len(raw.labels), "images"))
        shutil.rmtree(folder, ignore_errors=True)  # without its meta file: no data set
        os.rename(partial, folder)
    finally:
        _report_file(source).unlink(missing_ok=True)
        shutil.rmtree(partial, ignore_errors=True)


def _require_room(source: DatasetSource, needed: int, where: Path) -> None:
    free = shutil.disk_usage(where).free
    if needed > free:
        raise DatasetUnavailableError(
            f"{source.title} at this size needs {_rounded(needed, math.ceil)} in {where}, "
            f"but {_rounded(free, math.floor)} are free. "
            "Choose a smaller image size or make room, then try again."
        )


def _rounded(size: int, towards: Callable[[float], int]) -> str:
    """Bytes in MB, or in GB from 10 of them on; rounded apart, what is needed is more than what is free."""
    unit, factor = ("GB", 10**9) if size >= 10**10 else ("MB", 10**6)
    return f"{towards(size / factor):,} {unit}"


def _reporter(source: DatasetSource, folder: Path, progress: Report | None) -> Report:
    """Writes reports for other processes and passes them to `progress`, at most one a TICK."""
    file = _report_file(source)
    last = -TICK

    def say(report: Progress) -> None:
        nonlocal last
        if time.monotonic() - last < TICK and report.done < report.total:
            return
        last = time.monotonic()
        draft = file.with_suffix(".draft")
        with suppress(OSError):  # a full disk, say: what is imported tells it, in the thread that waits for it
            draft.write_text(json.dumps({"folder": folder.name, "progress": asdict(report)}), "utf-8")
            os.replace(draft, file)
        if progress:
            progress(report)

    return say


@contextmanager
def _watched_download(source: DatasetSource, say: Report) -> Iterator[None]:
    """Report from a thread how much of the source's files has arrived: torchvision itself does not say."""
    files = [settings().downloads / file for file in source.files]
    if source.found(settings().downloads) or all(file.exists() for file in files):
        say(Progress("importing", 0, source.images, "images"))
        yield
        return
    ended = threading.Event()
    total = source.download_megabytes

    def watch() -> None:
        while True:
            arrived = sum(file.stat().st_size for file in files if file.exists()) / 1e6
            say(Progress("downloading", min(arrived, total), total, "MB"))
            if ended.wait(TICK):
                return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
