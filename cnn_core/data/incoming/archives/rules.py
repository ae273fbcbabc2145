"""What is accepted of an archive or folder from strangers: how many files, how large, and nothing packed inside."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import Protocol

from cnn_core.data.decode import shown_name
from cnn_core.errors import ArchiveError, ImageError, PlaygroundError
from cnn_core.settings import Settings, settings

FREE = 1_000_000  # bytes up to which the ratio is not looked at
PACKED_ENDINGS = (
    ".zip",
    ".tar",
    ".gz",
    ".tgz",
    ".bz2",
    ".tbz",
    ".tbz2",
    ".xz",
    ".txz",
    ".zst",
    ".7z",
    ".rar",
)
PACKED_STARTS = (
    b"PK\3\4",
    b"PK\5\6",
    b"PK\7\x08",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ\0",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\7",
)
TAR_MAGIC, TAR_MAGIC_AT = b"ustar", 257
LINK = "It is a link, and links are not followed."


@dataclass(frozen=True)
class Entry:
    """One file: `path` is relative, its parts joined by "/", in Unicode's composed form (NFC)."""

    path: str
    size: int  # bytes, as stated


class Files(Protocol):
    """The files of an archive or folder, all of whose names and sizes passed the rules."""

    def entries(self) -> list[Entry]:
        """Every file, in reading order."""
        ...

    def skipped(self) -> dict[str, str]:
        """Paths that are no files to read, such as links, with a sentence on why they are left out."""
        ...

    def encodings(self) -> tuple[str, ...]:
        """What the names may be encoded in, the one in use first; empty where that is stated."""
        ...

    def read(self, wanted: Container[str] | None = None) -> Iterator[tuple[Entry, bytes | ImageError]]:
        """Each file's bytes in the same order, or why this one is skipped: too large, damaged, an archive itself.

        `wanted` holds the paths to read; the others are passed over. Raises ArchiveError when the real bytes break a
        rule that the stated sizes kept, or when nothing after a damaged place can be read.
        """
        ...


@dataclass
class Allowance:
    """What came out so far; `packed` bytes lie on the disk, None where nothing is packed.

    Its methods raise ArchiveError when something is more than the settings allow, as they were in the beginning.
    """

    packed: int | None = None
    files: int = 0
    size: int = 0  # bytes
    limits: Settings = field(default_factory=settings)

    def add_file(self) -> None:
        self.files += 1
        self.check_count(self.files)

    def add_bytes(self, size: int) -> None:
        self.size += size
        most = self.limits.import_megabytes
        if self.size > most * 1_000_000:
            raise ArchiveError(f"The files hold more than {most:,} MB, the most accepted at once. Upload fewer images.")
        if self.packed is not None:
            self.check_ratio(self.size, self.packed, "The archive")

    def check_count(self, files: int) -> None:
        most = self.limits.import_files
        if files > most:
            raise ArchiveError(
                f"There are more than {most:,} files and folders, the most accepted at once. Upload fewer images."
            )

    def check_ratio(self, size: int, packed: int, what: str) -> None:
        most = self.limits.import_ratio
        if size > FREE and size > most * packed:
            raise ArchiveError(
                f"{what} unpacks to more than {most} times its size, as archives made to fill a disk do. "
                "Save the images as PNG or JPEG and pack them again."
            )

    def too_large(self, path: str, size: int) -> ImageError | None:
        """Why a file of `size` bytes is skipped, None where it is not."""
        most = self.limits.upload_megabytes
        if size <= most * 1_000_000:
            return None
        return ImageError(
            f"{shown_name(path)} has {size / 1e6:.1f} MB; at most {most} MB are accepted. Save it smaller."
        )


def not_packed(path: str, data: bytes) -> bytes | ImageError:
    """The bytes of a file, or why it is skipped: it is an archive itself. What is inside is never looked at."""
    if data.startswith(PACKED_STARTS) or data[TAR_MAGIC_AT:].startswith(TAR_MAGIC):
        return ImageError(f"{shown_name(path)} is an archive inside.", "It is an archive inside. Unpack it first.")
    return data


def check_some(paths: Sequence[str], skipped: Mapping[str, str]) -> None:
    """Raises ArchiveError when an archive holds nothing that could be read, with the cause where there is one."""
    packed = [path for path in paths if path.lower().endswith(PACKED_ENDINGS)]
    if packed and len(packed) == len(paths):
        raise ArchiveError(f"{shown_name(packed[0])} is an archive inside. Unpack it, or leave it out, and pack again.")
    if skipped and not paths:
        raise ArchiveError(f"{shown_name(next(iter(skipped)))} is a link. Put the file itself in its place.")
    if not paths:
        raise ArchiveError("The archive is empty. Pack a folder with images.")


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """The archive's bytes. Raises ArchiveError when the file cannot be opened."""
    try:
        file = path.open("rb")
    except OSError:
        raise ArchiveError(f"{shown_name(path.name)} cannot be opened. Choose a zip or tar file.") from None
    with file:
        yield file


@contextmanager
def damage_told() -> Iterator[None]:
    """Whatever a reader of archives stumbles over becomes an ArchiveError; sentences pass as they are."""
    try:
        yield
    except PlaygroundError:
        raise
    except Exception:
        raise ArchiveError("The archive is damaged or cut short. Pack or download it again.") from None
