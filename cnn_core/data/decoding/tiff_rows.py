"""The bytes of a TIFF's rows, unpacked by libtiff, as numbers.

libtiff, through Pillow, is given the file once more with tags that call every row of values a row of 8-bit grey: it
unpacks strips and tiles within bounds and has no opinion about the numbers inside.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import TiffImagePlugin

CARRIED = (259, 266, 278)  # compression, order of bits, rows a strip
STRIPS, TILES = (273, 279), (324, 325)  # tags of places and lengths
TILE_WIDTH, TILE_HEIGHT = 322, 323
ROWS = 256  # unpacked from bits at once


@dataclass(frozen=True)
class Segments:
    """Where the strips or tiles of an image, or of one of its planes, lie in the file."""

    data: bytes
    tags: dict[int, Any]
    kind: tuple[int, int]
    places: tuple[int, ...]
    lengths: tuple[int, ...]

    @classmethod
    def of(cls, data: bytes, tags: dict[int, Any]) -> Segments:
        kind = TILES if TILES[0] in tags else STRIPS
        return cls(data, tags, kind, *(tuple(int(value) for value in tags[tag]) for tag in kind))

    def plane(self, number: int, planes: int) -> Segments:
        count = len(self.places) // planes
        part = slice(number * count, (number + 1) * count)
        return Segments(self.data, self.tags, self.kind, self.places[part], self.lengths[part])

    def rows(self, stride: int, height: int, bytes_per_pixel: float) -> NDArray[np.uint8]:
        """uint8 (height, stride): the rows as they lie in the file."""
        tags = {256: stride, 257: height, 258: 8, 262: 1, 277: 1}
        tags |= {tag: self.tags[tag] for tag in CARRIED if tag in self.tags}
        if self.kind == TILES:
            tags |= {TILE_WIDTH: int(self.tags[TILE_WIDTH] * bytes_per_pixel), TILE_HEIGHT: self.tags[TILE_HEIGHT]}
        file = _with_tags(self.data, tags | dict(zip(self.kind, (self.places, self.lengths), strict=True)))
        with TiffImagePlugin.TiffImageFile(io.BytesIO(file)) as image:
            if image.size != (stride, height) or image.mode != "L":
                raise ValueError("tags that contradict each other")
            image.load()
            return np.asarray(image)


def _with_tags(data: bytes, tags: dict[int, Any]) -> bytes:
    """The file with a directory of whole numbers at its end in place of its own."""
    order = "<" if data[:2] == b"II" else ">"
    at = len(data) + len(data) % 2
    behind = at + 2 + 12 * len(tags) + 4
    entries, long = [], b""
    for tag, value in sorted(tags.items()):
        numbers = value if isinstance(value, tuple) else (int(value),)
        packed = struct.pack(f"{order}{len(numbers)}I", *numbers)
        if len(packed) > 4:
            long, packed = long + packed, struct.pack(f"{order}I", behind + len(long))
        entries.append(struct.pack(f"{order}HHI", tag, 4, len(numbers)) + packed)
    start = struct.pack(f"{order}2sHI", data[:2], 42, at)
    directory = struct.pack(f"{order}H", len(entries)) + b"".join(entries) + bytes(4)
    return b"".join([start, data[8:], bytes(len(data) % 2), directory, long])


def read_rows(
    segments: Segments, samples: int, width: int, height: int, bits: int, kind: str, little: bool, predictor: int
) -> NDArray[np.generic]:
    """(height, width, samples) of the kind ("u", "i", "f") and number of bits, in the computer's own order of bytes."""
    block = int(segments.tags[TILE_WIDTH]) if segments.kind == TILES else width  # predictors begin anew in each
    blocks = -(-width // block)
    rows = segments.rows(-(-blocks * block * samples * bits // 8), height, samples * bits / 8)
    if bits % 8:
        values: NDArray[np.generic] = _unpacked(rows, bits)[:, : blocks * block * samples]
    elif predictor == 3:
        values = _from_float_prediction(rows.reshape(height * blocks, -1), samples, bits // 8)
    else:
        values = rows.view(f"{'<' if little else '>'}{kind}{bits // 8}")
        values = values.astype(values.dtype.newbyteorder("="), copy=False)
    if predictor == 2:
        unsigned = values.view(f"u{values.itemsize}").reshape(height, blocks, block, samples)
        values = np.cumsum(unsigned, axis=2, dtype=unsigned.dtype).view(values.dtype)
    return values.reshape(height, blocks * block, samples)[:, :width]


def _unpacked(rows: NDArray[np.uint8], bits: int) -> NDArray[np.uint16]:
    """Rows of values of 1 to 15 bits, the first one at the highest bits of the first byte."""
    count = rows.shape[1] * 8 // bits
    weights = (1 << np.arange(bits - 1, -1, -1)).astype(np.uint16)
    values = np.empty((len(rows), count), np.uint16)
    for at in range(0, len(rows), ROWS):
        single = np.unpackbits(rows[at : at + ROWS], axis=1)[:, : count * bits]
        values[at : at + ROWS] = single.reshape(-1, count, bits) @ weights
    return values


def _from_float_prediction(rows: NDArray[np.uint8], samples: int, size: int) -> NDArray[np.floating[Any]]:
    """Rows of differences between bytes, the highest bytes of all values first (Adobe's TIFF Technical Note 3)."""
    height, stride = rows.shape
    sums = np.cumsum(rows.reshape(height, stride // samples, samples), axis=1, dtype=np.uint8)
    planes = sums.reshape(height, size, stride // size).transpose(0, 2, 1)
    return np.ascontiguousarray(planes).view(f">f{size}").astype(f"f{size}")
