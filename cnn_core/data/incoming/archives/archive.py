"""Zip and tar archives and folders of images that people bring: looked through, refused with a reason, or read."""

from __future__ import annotations

from pathlib import Path

from cnn_core.data.decode import shown_name
from cnn_core.data.incoming.archives.folder import FolderFiles
from cnn_core.data.incoming.archives.rules import Entry, Files, opened
from cnn_core.data.incoming.archives.tar import TarFiles, is_tar
from cnn_core.data.incoming.archives.zip import ZipFiles, ends_as_zip
from cnn_core.errors import ArchiveError
from cnn_core.settings import settings

__all__ = ["Entry", "Files", "open_archive", "open_folder"]

START = 512  # bytes that tell what an archive is
ZIP_STARTS = (b"PK\3\4", b"PK\5\6")  # a first file, or the end of an empty one


def open_archive(path: Path, encoding: str = "auto") -> Files:
    """The files of a zip, or of a tar (plain, gz, bz2, xz), told by content and not by name.

    A program in front of a zip that unpacks it is passed over; links and archives inside are left out. Nothing is
    written to disk. `encoding` is that of a zip's names where it states none; "auto" guesses. Raises ArchiveError, and
    nothing else, for every other file and for archives that are locked, damaged, empty, or made to harm: names that
    climb, devices, bombs, names that clash, more than the settings allow.
    """
    with opened(path) as file:
        start = file.read(START)
        zip_at_end = ends_as_zip(file)
    if start.startswith(ZIP_STARTS):
        return ZipFiles(path, encoding)
    if is_tar(start):
        return TarFiles(path)
    if zip_at_end:
        return ZipFiles(path, encoding)
    raise ArchiveError("The file is neither a zip nor a tar archive. Pack the folder with the images as a zip.")


def open_folder(path: Path, *, checked: bool = True) -> Files:
    """The files in a folder of this computer, names sorted, links left out.

    `checked`: only inside one of the settings' `import_folders`, as pages need it; the command line opens any folder.
    Raises ArchiveError when it is no folder, not inside one of those, or breaks the rules for archives.
    """
    try:
        folder = path.resolve()
        allowed = [known.resolve() for known in settings().import_folders]
    except (OSError, RuntimeError, ValueError):
        folder, allowed = path, []
    if checked and not any(folder.is_relative_to(known) for known in allowed):
        raise ArchiveError(
            f"{shown_name(path.name)} is not in a folder that may be imported. "
            "The operator of this server lists such folders in CNN_PLAYGROUND_IMPORT_FOLDERS."
        )
    if not folder.is_dir():
        raise ArchiveError(f"{shown_name(path.name)} is not a folder. Choose a folder with images.")
    return FolderFiles(folder)
