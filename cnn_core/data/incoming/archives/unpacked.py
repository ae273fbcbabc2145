"""Streams packed by gzip, bzip2 or xz, unpacked a bounded piece at a time."""

from __future__ import annotations

import zlib
from bz2 import BZ2Decompressor
from lzma import LZMADecompressor
from typing import BinaryIO, Protocol

STARTS = {b"\x1f\x8b": "gz", b"BZh": "bz2", b"\xfd7zXZ\0": "xz"}
CHUNK = 2**13  # packed bytes read at once; of many short streams each copies what is left of them
XZ_MEMORY = 2**27  # bytes; `xz -9` needs half of it
STREAMS, BYTES_OF_STREAM = 1000, 1000  # so many streams may be short, the others give so many bytes on average


class Unpacked:
    """Reads packed streams that follow one another, as programs that pack in parallel write them.

    The standard library's own files set xz no bound on memory, and take any number of empty streams.
    """

    def __init__(self, file: BinaryIO, packing: str) -> None:
        self._file = file
        self._packing = packing
        self._streams = self._given = 0
        self._engine = self._next_engine()

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, b"" at the end. Raises EOFError, or an error of the packing, for damaged ones."""
        while True:
            data = b""
            if self._engine.eof:
                data = self._engine.unused_data.lstrip(b"\0")  # zeros fill up to a block
                while not data:
                    if not (data := self._file.read(CHUNK)):
                        return b""
                    data = data.lstrip(b"\0")
                self._engine = self._next_engine()
            elif self._engine.needs_input and not (data := self._file.read(CHUNK)):
                raise EOFError
            if unpacked := self._engine.decompress(data, size):
                self._given += len(unpacked)
                return unpacked

    def _next_engine(self) -> _Engine:
        self._streams += 1
        if self._streams > STREAMS + self._given / BYTES_OF_STREAM:
            raise ValueError("too many streams that give next to nothing")
        if self._packing == "gz":
            return _Gunzip()
        return BZ2Decompressor() if self._packing == "bz2" else LZMADecompressor(memlimit=XZ_MEMORY)


class _Engine(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Gunzip:
    """zlib's engine for gzip with the interface of the other two."""

    def __init__(self) -> None:
        self._engine = zlib.decompressobj(wbits=31)  # 16 for gzip's header and checksum, 15 for any window

    @property
    def eof(self) -> bool:
        return self._engine.eof

    @property
    def needs_input(self) -> bool:
        return not self._engine.unconsumed_tail  # output that waits leaves gzip's checksum unconsumed

    @property
    def unused_data(self) -> bytes:
        return self._engine.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        return self._engine.decompress(self._engine.unconsumed_tail + data, max_length)
