"""BMP images whose colours lie at bits of their own, as Windows and image editors write them with transparency."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FILE_HEADER = 14  # bytes; a DIB has none
ROWS = 64  # read at once
BITFIELDS = (3, 6)  # kinds of compression, without and with a mask for transparency


class Bitmap:
    """The header of a bitmap with bit fields. Raises ValueError or struct.error when there is no such header."""

    def __init__(self, data: bytes):
        start = FILE_HEADER if data[:2] == b"BM" else 0
        size, self.width, height, _, self.bits, kind = struct.unpack_from("<IiiHHI", data, start)
        if size < 40 or kind not in BITFIELDS or self.bits not in (16, 32) or self.width <= 0 or not height:
            raise ValueError("not a bitmap with bit fields")
        self.height, self.from_below = abs(height), height > 0
        count = 4 if size >= 56 or kind == 6 else 3
        self.masks = struct.unpack_from(f"<{count}I", data, start + 40)
        if not any(self.masks[:3]):
            raise ValueError("no masks")
        behind = start + size + (4 * count if size == 40 else 0)
        self.offset = struct.unpack_from("<I", data, 10)[0] if start else behind
        self._data = data

    def image(self) -> Image.Image:
        """In mode "RGB", or "RGBA" where some pixel is not transparent. Raises ValueError when pixels are missing."""
        stride = (self.width * self.bits // 8 + 3) // 4 * 4
        rows = np.frombuffer(self._data, np.uint8, stride * self.height, self.offset).reshape(self.height, stride)
        image = np.empty((self.height, self.width, len(self.masks)), np.uint8)
        for at in range(0, self.height, ROWS):
            part = rows[at : at + ROWS, : self.width * self.bits // 8].copy().view(f"<u{self.bits // 8}")
            for place, mask in enumerate(self.masks):
                image[at : at + ROWS, :, place] = _channel(part, mask)
        if len(self.masks) == 4 and not image[..., 3].any():
            image = image[..., :3]
        return Image.fromarray(np.ascontiguousarray(image[::-1] if self.from_below else image))


def has_bitfields(data: bytes) -> bool:
    try:
        Bitmap(data)
    except (ValueError, struct.error):
        return False
    return True


def _channel(pixels: NDArray[np.unsignedinteger], mask: int) -> NDArray[np.uint8]:
    """The bits of a mask as 0–255."""
    if not mask:
        return np.zeros(pixels.shape, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    top = mask >> shift
    values = (pixels.astype(np.uint32) & np.uint32(mask)) >> np.uint32(shift)
    return np.rint(values * (255 / top)).astype(np.uint8)
