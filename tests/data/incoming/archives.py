"""Archives written by hand, so that every field of them can lie."""

import io
import struct
import tarfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

END = struct.Struct("<4s4H2LH")


@dataclass
class Part:
    """One file of a zip; what is None is told truly."""

    name: bytes
    data: bytes = b""
    method: int = 0
    flags: int = 1 << 11  # UTF-8
    mode: int = 0  # Unix' kind and permissions
    attributes: int = 0  # DOS'
    size: int | None = None
    crc: int | None = None
    offset: int | None = None
    local_name: bytes | None = None
    extra: bytes = b""  # fields in the list of files


def zipped(parts: Iterable[Part], count: int | None = None, comment: bytes = b"") -> bytes:
    """A zip; `count` is the number of files it tells."""
    body, listed, number = bytearray(), bytearray(), 0
    for part in parts:
        packed = part.data
        if part.method == 8:
            engine = zlib.compressobj(9, wbits=-15)
            packed = engine.compress(part.data) + engine.flush()
        offset = len(body) if part.offset is None else part.offset
        size = len(part.data) if part.size is None else part.size
        crc = zlib.crc32(part.data) if part.crc is None else part.crc
        fields = (part.flags, part.method, 0, 33, crc, len(packed), size)
        local = part.name if part.local_name is None else part.local_name
        body += struct.pack("<4s5H3L2H", b"PK\3\4", 20, *fields, len(local), 0) + local + packed
        outer = (len(part.name), len(part.extra), 0, 0, 0, part.mode << 16 | part.attributes, offset)
        listed += struct.pack("<4s6H3L5H2L", b"PK\1\2", 3 << 8 | 20, 20, *fields, *outer) + part.name + part.extra
        number += 1
    told = number if count is None else count
    large = b""
    if told > 65534:
        at = len(body) + len(listed)
        large = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, told, told, len(listed), len(body))
        large += struct.pack("<4sLQL", b"PK\6\7", 0, at, 1)
    short = min(told, 65535)
    end = END.pack(b"PK\5\6", 0, 0, short, short, len(listed), len(body), len(comment))
    return bytes(body + listed + large + end + comment)


def tarred(parts: Iterable[tuple[str, bytes]], packing: str = "", format: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar of plain files, packed as "gz", "bz2", "xz" or not at all."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=f"w:{packing}", format=format) as archive:  # type: ignore[call-overload]
        for name, data in parts:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def tar_of(name: str, kind: bytes, data: bytes = b"", **fields: Any) -> bytes:
    """A tar of one entry of any kind after a plain file; the fields are TarInfo's."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("first.png"))
        info = tarfile.TarInfo(name)
        info.type, info.size = kind, len(data)
        for field, value in fields.items():
            setattr(info, field, value)
        archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def tar_header(name: str, kind: bytes, size: int) -> bytes:
    """One header block as it stands, with any size, negative ones too."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)
