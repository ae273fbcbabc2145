"""Tar archives of strangers, plain or packed, read once from front to back and never unpacked to disk."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Container, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from cnn_core.data.decode import shown_name
from cnn_core.data.incoming.archives.names import Names, safe_path
from cnn_core.data.incoming.archives.rules import LINK, Allowance, Entry, check_some, damage_told, not_packed, opened
from cnn_core.data.incoming.archives.unpacked import STARTS, Unpacked
from cnn_core.errors import ArchiveError, ImageError
from cnn_core.settings import Settings, settings

BLOCK = tarfile.BLOCKSIZE  # 512 bytes
CHUNK = 2**16  # bytes unpacked at once
LONGEST_HEADER = 2**20  # bytes of an extended header; macOS keeps previews of files in them
LINES_OF_HEADER = 100  # ten are usual; each takes time
HEADERS_OF_ONE = 4  # extended headers before one file
FILE_TYPES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
LINK_TYPES = (tarfile.LNKTYPE, tarfile.SYMTYPE)
DEVICE_TYPES = (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)
PAX_TYPES = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)


class TarFiles:
    """The files of a tar; see `Files`. Listing them unpacks all of it, once in a process; so does reading them."""

    def __init__(self, path: Path) -> None:
        with opened(path):  # raises where it cannot be read
            found = path.stat()
        self._path = path
        self._entries, self._skipped = _listed(path, found.st_mtime_ns, found.st_size, found.st_ino, settings())

    def entries(self) -> list[Entry]:
        return list(self._entries)

    def skipped(self) -> dict[str, str]:
        return dict(self._skipped)

    def encodings(self) -> tuple[str, ...]:
        return ()

    def read(self, wanted: Container[str] | None = None) -> Iterator[tuple[Entry, bytes | ImageError]]:
        with _opened(self._path) as stream:
            members = _members(stream, {})
            while True:
                with damage_told():
                    entry = next(members, None)
                    if entry is None:
                        return
                    content = _content(stream, entry, wanted is None or entry.path in wanted)
                if content is not None:
                    yield entry, content


@lru_cache(maxsize=16)  # a page draws anew at every click; at most 50,000 names each by default
def _listed(path: Path, written: int, size: int, inode: int, limits: Settings) -> tuple[list[Entry], dict[str, str]]:
    """The files and what was skipped. Raises ArchiveError."""
    entries: list[Entry] = []
    skipped: dict[str, str] = {}
    with _opened(path) as stream, damage_told():
        for entry in _members(stream, skipped):
            stream.skip(_padded(entry.size))
            entries.append(entry)
    check_some([entry.path for entry in entries], skipped)
    return entries, skipped


def is_tar(start: bytes) -> bool:
    """Whether a file that begins with these 512 bytes is a tar, or packed as tars are."""
    if start.startswith(tuple(STARTS)) or start == bytes(BLOCK):  # zeros alone are a tar without files
        return True
    try:
        tarfile.TarInfo.frombuf(start, "utf-8", "surrogateescape")
    except tarfile.TarError:
        return False
    return True


def _content(stream: _Stream, entry: Entry, wanted: bool) -> bytes | ImageError | None:
    reason = stream.allowance.too_large(entry.path, entry.size)
    if not wanted or reason:
        stream.skip(_padded(entry.size))
        return reason if wanted else None
    data = stream.exactly(entry.size)
    stream.skip(_padded(entry.size) - entry.size)
    return not_packed(entry.path, data)


def _members(stream: _Stream, skipped: dict[str, str]) -> Iterator[Entry]:
    """Each file; the stream then stands at its bytes, which the caller takes before asking for the next.

    Links go into `skipped`; as for tarfile, no bytes of their own follow them, whatever size they state.
    """
    names = Names()
    while header := _header(stream):
        stream.allowance.add_file()
        path = safe_path(header.name)
        _check_kind(header)
        if header.isdir():
            names.add(path, folder=True)
            continue
        names.add(path)
        if header.type in LINK_TYPES:
            skipped[path] = LINK
            continue
        yield Entry(path, header.size)
    stream.finish()


def _header(stream: _Stream) -> tarfile.TarInfo | None:
    """The header of the next file or folder with what extended headers say of it; None at the end.

    tarfile itself follows extended headers of any length and number, one call inside the other.
    """
    records: dict[str, str] = {}
    for _ in range(HEADERS_OF_ONE + 1):
        block = stream.exactly(BLOCK)
        if not block.strip(b"\0"):
            return None
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        if header.size < 0:
            raise ArchiveError("The archive is damaged or cut short. Pack or download it again.")
        if header.type in PAX_TYPES:
            records |= _extended(stream, header)
        elif header.type == tarfile.GNUTYPE_LONGNAME:
            records["path"] = _long(stream, header).split(b"\0")[0].decode("utf-8", "surrogateescape")
        elif header.type == tarfile.GNUTYPE_LONGLINK:
            _long(stream, header)
        else:
            header.name = records.get("path", header.name)
            header.size = int(records.get("size", header.size))
            return header
    raise ArchiveError("The archive has too many extended headers for one file. Pack the folder again.")


def _extended(stream: _Stream, header: tarfile.TarInfo) -> dict[str, str]:
    """What a pax header says of the next file's path and size; the rest does not matter here.

    Lines are "length key=value\\n", the length counting all of the line (POSIX pax, "pax Extended Header").
    """
    records: dict[str, str] = {}
    text, at = _long(stream, header), 0
    for _ in range(LINES_OF_HEADER):
        if at == len(text):
            return records
        length = int(text[at : at + 8].split(b" ")[0])
        line = text[at : at + length]
        key, _, value = line.split(b" ", 1)[1].partition(b"=")
        if length < 1 or not line.endswith(b"\n"):
            raise ValueError("a line of a pax header has another length than it says")
        if key.startswith(b"GNU.sparse"):
            raise ArchiveError("The archive holds a file with holes (sparse). Pack the folder without that option.")
        if key in (b"path", b"size"):
            if header.type == tarfile.XGLTYPE:
                raise ArchiveError("The archive gives one name or size to all its files. Pack the folder again.")
            records[key.decode()] = value[:-1].decode("utf-8", "surrogateescape")
        at += length
    raise ArchiveError(
        f"An extended header in the archive has more than {LINES_OF_HEADER} lines. Pack the folder again."
    )


def _long(stream: _Stream, header: tarfile.TarInfo) -> bytes:
    """The bytes of an extended header."""
    if header.size > LONGEST_HEADER:
        raise ArchiveError(f"An extended header in the archive is longer than {LONGEST_HEADER:,} bytes. Pack it again.")
    return stream.exactly(_padded(header.size))[: header.size]


def _check_kind(header: tarfile.TarInfo) -> None:
    shown = shown_name(header.name)
    if header.type in DEVICE_TYPES:
        raise ArchiveError(f"{shown} is a device or pipe and no file. Leave it out and pack again.")
    if header.type == tarfile.GNUTYPE_SPARSE:
        raise ArchiveError(f"{shown} is a file with holes (sparse). Pack the folder without that option.")
    if header.type not in (*FILE_TYPES, *LINK_TYPES, tarfile.DIRTYPE) or header.size < 0:
        raise ArchiveError(f"{shown} is neither a file nor a folder. Pack the folder again, as a zip.")


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Stream:
    """Reads forward through a tar, and counts what came out of it against what is allowed."""

    def __init__(self, source: _Readable, allowance: Allowance) -> None:
        self._source = source
        self.allowance = allowance

    def exactly(self, size: int) -> bytes:
        """The next bytes. Raises EOFError when there are fewer."""
        parts = []
        while size:
            part = self._source.read(min(size, CHUNK))
            if not part:
                raise EOFError
            self.allowance.add_bytes(len(part))
            size -= len(part)
            parts.append(part)
        return b"".join(parts)

    def skip(self, size: int) -> None:
        while size:
            size -= len(self.exactly(min(size, CHUNK)))

    def finish(self) -> None:
        """Read what follows the last file: a packed stream has its checksum there."""
        while part := self._source.read(CHUNK):
            self.allowance.add_bytes(len(part))


@contextmanager
def _opened(path: Path) -> Iterator[_Stream]:
    with opened(path) as file:
        packing = next((kind for start, kind in STARTS.items() if file.peek(6).startswith(start)), "")
        allowance = Allowance(os.fstat(file.fileno()).st_size if packing else None)
        yield _Stream(Unpacked(file, packing) if packing else file, allowance)
