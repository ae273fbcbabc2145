"""Zip archives of strangers, read entry by entry and never unpacked to disk."""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from cnn_core.data.decode import shown_name
from cnn_core.data.incoming.archives.encoding import UTF8, Encoded
from cnn_core.data.incoming.archives.names import Names, safe_path
from cnn_core.data.incoming.archives.rules import LINK, Allowance, Entry, check_some, damage_told, not_packed, opened
from cnn_core.errors import ArchiveError, ImageError

# Records at the end of a zip: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.14 to 4.3.16
END, END64, LOCATOR = struct.Struct("<4s4H2LH"), struct.Struct("<4sQ2H2L4Q"), struct.Struct("<4sLQL")
END_MARK, END64_MARK, LOCATOR_MARK, LISTED_MARK = b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\1\2"
LONGEST_COMMENT = 65_535
LINE = struct.Struct("<4s24x3H12x")  # of the list of files: lengths of name, extra fields and comment (4.3.12)
LONGEST_LINE = 1200  # bytes that one file may take in the list, on average
LONGEST_EXTRA = 4096  # bytes; zipfile takes the square of it in time
LOCAL = 30  # bytes before each file's name and data
LOCKED = 1 << 0 | 1 << 6 | 1 << 13
REPARSE_POINT = 0x400  # Windows' links


class ZipFiles:
    """The files of a zip; see `Files`. `encoding` is that of names where the zip does not state it."""

    def __init__(self, path: Path, encoding: str = "auto") -> None:
        self._path, self._encoding = path, encoding
        with _opened(path, encoding) as listed:
            self._entries = [entry for entry, _ in listed.members]
            self._skipped, self._encodings = listed.skipped, listed.encodings

    def entries(self) -> list[Entry]:
        return list(self._entries)

    def skipped(self) -> dict[str, str]:
        return dict(self._skipped)

    def encodings(self) -> tuple[str, ...]:
        return self._encodings

    def read(self, wanted: Container[str] | None = None) -> Iterator[tuple[Entry, bytes | ImageError]]:
        with _opened(self._path, self._encoding) as listed:
            allowance = Allowance(listed.packed)
            for entry, info in listed.members:
                if wanted is None or entry.path in wanted:
                    yield entry, _content(listed.archive, entry, info, allowance)


@dataclass
class _Listed:
    """An open zip, its bytes on the disk, and what it lists."""

    archive: ZipFile
    packed: int
    members: list[tuple[Entry, ZipInfo]] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    encodings: tuple[str, ...] = ()


def _content(archive: ZipFile, entry: Entry, info: ZipInfo, allowance: Allowance) -> bytes | ImageError:
    """zipfile gives no more bytes than are stated, and refuses them when their checksum is another."""
    if reason := allowance.too_large(entry.path, entry.size):
        return reason
    try:
        with archive.open(info) as file:
            data = file.read(entry.size + 1)
        if len(data) != entry.size:
            raise ValueError("fewer bytes than stated")
    except Exception:
        return ImageError(f"{shown_name(entry.path)} is damaged in the archive. Pack it again.")
    allowance.add_bytes(len(data))
    return not_packed(entry.path, data)


@contextmanager
def _opened(path: Path, encoding: str) -> Iterator[_Listed]:
    with opened(path) as file:
        with damage_told():
            allowance = Allowance(packed := os.fstat(file.fileno()).st_size)
            _check_list(file, allowance)
            listed = _Listed(ZipFile(file), packed)
            _list(listed, allowance, encoding)
        yield listed


def _list(listed: _Listed, allowance: Allowance, encoding: str) -> None:
    """Fill in what is listed. Raises ArchiveError for every broken rule."""
    names, infos = Names(), listed.archive.infolist()
    _check_apart(listed.archive)
    encoded = Encoded(infos, encoding)
    listed.encodings = encoded.encodings
    for info in infos:
        allowance.add_file()
        name = encoded.name(info)
        path = safe_path(name)
        _check_kind(name, info)
        if _is_link(info):
            names.add(path)
            listed.skipped[path] = LINK
            continue
        if name.endswith(("/", "\\")) or stat.S_ISDIR(info.external_attr >> 16):
            names.add(path, folder=True)
            continue
        allowance.check_ratio(info.file_size, info.compress_size, shown_name(name))
        allowance.add_bytes(info.file_size)
        names.add(path)
        listed.members.append((Entry(path, info.file_size), info))
    check_some([entry.path for entry, _ in listed.members], listed.skipped)


def _check_kind(name: str, info: ZipInfo) -> None:
    """Raises ArchiveError for what is neither folder, link nor readable file: locked, a device, packed rarely."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if info.flag_bits & LOCKED:
        raise ArchiveError(f"{shown_name(name)} is locked by a password. Pack the images without one.")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
        raise ArchiveError(f"{shown_name(name)} is a device or pipe and no file. Leave it out and pack again.")
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        # zipfile unpacks bzip2 and LZMA without a limit on what one step may give.
        raise ArchiveError(f"{shown_name(name)} is packed in an unusual way. Pack the folder as an ordinary zip.")


def _is_link(info: ZipInfo) -> bool:
    return stat.S_ISLNK(info.external_attr >> 16) or bool(info.external_attr & REPARSE_POINT)


def _check_apart(archive: ZipFile) -> None:
    """Raises ArchiveError when files share bytes, as in zips that unpack to thousands of times their size.

    Python before 3.11.8 and 3.12.2 reads those. What a file takes is at least its header, its name and its bytes.
    """
    end = 0
    for info in sorted(archive.infolist(), key=lambda info: info.header_offset):
        if info.header_offset < end:
            shown = shown_name(info.orig_filename)
            raise ArchiveError(f"{shown} shares bytes with another file. Pack the folder again.")
        letters = info.orig_filename.encode("utf-8" if info.flag_bits & UTF8 else "cp437")
        end = info.header_offset + LOCAL + len(letters) + info.compress_size
    if end > archive.start_dir:
        raise ArchiveError("The archive is damaged or cut short. Pack or download it again.")


def ends_as_zip(file: BinaryIO) -> bool:
    """Whether there is a zip's list of files at the end, as in one with a program in front that unpacks it."""
    try:
        _, start, size = _list_of_files(file)
        file.seek(start)
        return size > 0 and file.read(len(LISTED_MARK)) == LISTED_MARK
    except (ValueError, OSError, struct.error):
        return False


def _check_list(file: BinaryIO, allowance: Allowance) -> None:
    """Raises ArchiveError when the list of files is too long, before zipfile makes an object of each line."""
    count, start, size = _list_of_files(file)
    allowance.check_count(count)
    if size > allowance.limits.import_files * LONGEST_LINE:
        raise ArchiveError("The archive's list of files is too long. Upload fewer images, with shorter names.")
    file.seek(start)
    listed, at, count = file.read(size), 0, 0
    while at < size:
        mark, name, extra, comment = LINE.unpack_from(listed, at)
        if mark != LISTED_MARK or extra + comment > LONGEST_EXTRA:
            raise ArchiveError("The archive's list of files is damaged. Pack the folder again.")
        at += LINE.size + name + extra + comment
        count += 1
        allowance.check_count(count)


def _list_of_files(file: BinaryIO) -> tuple[int, int, int]:
    """Stated number of files, position and length in bytes of the list of files, found as zipfile finds it."""
    length = file.seek(0, 2)
    at = max(length - LONGEST_COMMENT - 1 - END.size, 0)
    file.seek(at)
    tail = file.read()
    found = len(tail) - END.size
    if found < 0 or tail[found : found + 4] != END_MARK or tail[-2:] != b"\0\0":
        found = tail.rfind(END_MARK)
    _, _, _, _, count, size, _, _ = END.unpack_from(tail, found)
    end = at + found
    file.seek(max(end - LOCATOR.size, 0))
    mark, _, end64, _ = LOCATOR.unpack(file.read(LOCATOR.size))
    if mark == LOCATOR_MARK:
        end -= LOCATOR.size + END64.size
        file.seek(max(end, 0))
        mark, *_, count, size, _ = END64.unpack(file.read(END64.size))
        if mark != END64_MARK or end64 != end:
            raise ValueError("two places for the list of files")
    if found < 0 or size > end:
        raise ValueError("no list of files")
    return count, end - size, size
