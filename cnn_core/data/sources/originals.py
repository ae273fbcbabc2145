"""Finding or downloading a data set's original files, and saying plainly what to do when that fails."""

from __future__ import annotations

import contextlib
import errno
import http.client
import io
import pickle
import re
import socket
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cnn_core.data.dataset import RawImages
from cnn_core.errors import DatasetUnavailableError
from cnn_core.settings import settings

SILENCE_SECONDS = 30.0  # a server that says nothing for so long is given up
UNREADABLE = (
    OSError,
    RuntimeError,
    ValueError,
    EOFError,
    AssertionError,
    KeyError,
    zlib.error,
    zipfile.BadZipFile,
    tarfile.TarError,
    pickle.UnpicklingError,
    http.client.HTTPException,
)


@dataclass(frozen=True, kw_only=True)
class Originals:
    """The original files of a data set that has to be fetched."""

    title: str
    address: str  # where the files are found under their names
    images: int  # how many there are; fewer means that a file is not whole
    files: tuple[str, ...]  # relative to the downloads folder, all in one folder
    read: Callable[[Path, bool], RawImages]  # (root folder, may download and unpack there)
    lies_flat: Callable[[Path], bool] = lambda folder: False  # whether the files lie in a folder itself

    def folder(self, downloads: Path) -> Path | None:
        """The folder of this computer that holds every file, packed or unpacked; None while one is missing."""
        for folder in (*settings().dataset_folders, downloads):
            if self.lies_flat(folder) or all(_is_there(folder / file) for file in self.files):
                return folder
        return None

    def fetch(self, downloads: Path) -> RawImages:
        """The images from an operator's data set folder, else from `downloads`, else from the network.

        Raises DatasetUnavailableError: what failed, which files are missing and where to put them by hand.
        """
        for folder in settings().dataset_folders:
            with contextlib.suppress(*UNREADABLE):
                return self._complete(self.read(folder, False))
        try:
            downloads.mkdir(parents=True, exist_ok=True)
            with _quiet_network(), self._no_halves(downloads):
                return self._complete(self.read(downloads, True))
        except UNREADABLE as error:
            raise DatasetUnavailableError(self._sentence(downloads, error)) from error

    @contextlib.contextmanager
    def _no_halves(self, downloads: Path) -> Iterator[None]:
        """Removes what was begun and not ended when a person or a full disk ends a download."""
        new = [path for file in self.files if not (path := downloads / file).exists()]
        try:
            yield
        except (KeyboardInterrupt, OSError) as error:
            if isinstance(error, KeyboardInterrupt) or error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                for path in new:
                    path.unlink(missing_ok=True)
            raise

    def _complete(self, raw: RawImages) -> RawImages:
        if len(raw.labels) != self.images:
            raise ValueError(f"{len(raw.labels)} of {self.images} images found")
        return raw

    def _sentence(self, downloads: Path, error: BaseException) -> str:
        paths = [downloads / file for file in self.files]
        missing = [path.name for path in paths if not _is_there(path)]
        sentence = f"{self.title} could not be downloaded ({cause(error)})."
        if missing:
            return (
                f"{sentence} Missing: {', '.join(missing)}. To add by hand: get from {self.address}, "
                f"put into {paths[0].parent}, then try again."
            )
        return (
            f"{sentence} Damaged or cut short in {paths[0].parent}: {' or '.join(path.name for path in paths)}. "
            f"To replace by hand: get from {self.address}, put there, then try again."
        )


def _is_there(path: Path) -> bool:
    """Whether a file is there, or what was packed in it."""
    return path.exists() or path.with_suffix("").is_file()


def cause(error: BaseException) -> str:
    """What went wrong, in a few words and without addresses or numbers of errors."""
    text = str(error)
    if isinstance(error, TimeoutError) or "timed out" in text:
        return "the server did not answer in time"
    if "[Errno -" in text or "getaddrinfo" in text:  # the resolver's own numbers are negative
        return "no network"
    inner = re.search(r"<urlopen error (.*?)>", text) or re.search(r"(HTTP Error .*)", text)
    short = re.sub(r"\[Errno -?\d+\]\s*", "", inner[1] if inner else text.strip().rsplit("\n", 1)[-1])
    short = short.strip(" .") or type(error).__name__
    return short[:120] if short[:2].isupper() or " " not in short else short[0].lower() + short[1:120]


@contextlib.contextmanager
def _quiet_network() -> Iterator[None]:
    """A time limit for silent servers, which torchvision leaves out, and no progress bars on stderr."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SILENCE_SECONDS)
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        socket.setdefaulttimeout(before)
