"""TIFF images of microscopes, scanners and X-ray cameras: whole and floating-point values of any depth."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from cnn_core.data.decoding.tiff_rows import CARRIED, STRIPS, TILE_HEIGHT, TILE_WIDTH, TILES, Segments, read_rows
from cnn_core.data.decoding.values import to_bytes
from cnn_core.errors import ImageError

PREFIXES, BIG = (b"II*\0", b"MM\0*", b"II+\0"), 43
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, PLANAR = 256, 257, 258, 259, 262, 277, 284
ORIENTATION, PREDICTOR, LARGEST_SAMPLE, EXTRA, SAMPLE_FORMAT = 274, 317, 281, 338, 339
NEEDED = (
    WIDTH,
    HEIGHT,
    BITS,
    COMPRESSION,
    PHOTOMETRIC,
    SAMPLES,
    PLANAR,
    ORIENTATION,
    PREDICTOR,
    LARGEST_SAMPLE,
    EXTRA,
    SAMPLE_FORMAT,
    *CARRIED,
    *STRIPS,
    *TILES,
    TILE_WIDTH,
    TILE_HEIGHT,
)
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2
PACKED = {
    1: "no compression",
    5: "LZW",
    8: "Deflate",
    32946: "Deflate",
    32773: "PackBits",
    34925: "LZMA",
    50000: "ZSTD",
}
COLOURS = {0: "grey", 1: "grey", 2: "RGB", 3: "palette", 5: "CMYK", 6: "YCbCr", 8: "Lab"}
KINDS = {1: "u", 2: "i", 3: "f"}  # of SampleFormat: numpy's letters
WIDTHS = {"u": (8, 16, 32, 64), "i": (8, 16, 32, 64), "f": (16, 32, 64)}


@dataclass(frozen=True)
class DeepTiff:
    """The first page of a TIFF whose values Pillow does not read, or reads wrongly."""

    data: bytes
    tags: dict[int, Any]
    width: int
    height: int
    bits: int
    kind: str  # numpy's letter
    samples: int  # values a pixel
    planar: bool

    @property
    def orientation(self) -> int:
        return int(self.tags.get(ORIENTATION, 1))

    @property
    def bytes_needed(self) -> int:
        """Memory while it is read: the rows twice, and the values of one image of up to 4 channels."""
        value = max(2, -(-self.bits // 8))
        return self.width * self.height * self.samples * value * 3 + self.width * self.height * 8

    def image(self, name: str) -> tuple[Image.Image, str]:
        """In mode "L", "LA", "RGB" or "RGBA", not yet turned, and how the values were scaled, in a sentence.

        Raises ImageError for kinds that are not read, other exceptions when it is damaged.
        """
        self._check(name)
        values, wanted, alpha = self._values()
        stated = _all_of(self.tags.get(LARGEST_SAMPLE, 0))[0] if self.kind == "u" else 0
        top = stated or (2**self.bits - 1 if self.kind == "u" and self.bits not in WIDTHS["u"] else 0)
        pixels, sentence = to_bytes(values[..., :wanted], top)
        if self.tags.get(PHOTOMETRIC) == WHITE_IS_ZERO:
            pixels = 255 - pixels
        if alpha is not None:
            full = 2**self.bits - 1 if self.kind == "u" else 1
            pixels = np.concatenate([pixels, to_bytes(alpha[..., None], full)[0]], -1)
        if self.samples > wanted + (alpha is not None):
            sentence = "" if self.kind == "u" and self.bits == 8 else f"{sentence} "
            sentence += f"Of {self.samples} channels the first {'was' if wanted == 1 else 'three were'} taken."
        return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels), sentence

    def _check(self, name: str) -> None:
        compression, photometric = self.tags.get(COMPRESSION, 1), self.tags.get(PHOTOMETRIC)
        whole = self.kind == "u" and self.bits < 16
        if (
            photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB)
            and compression in PACKED
            and (whole or self.bits in WIDTHS.get(self.kind, ()))
            and self.tags.get(PREDICTOR, 1) in (1, 2, 3)
        ):
            return
        what = "floating-point" if self.kind == "f" else "complex" if self.kind == "c" else "whole-number"
        colour = COLOURS.get(int(photometric or 0), "unusual")
        packed = PACKED.get(compression, f"compression {compression}")
        reason = f"It is a TIFF of a kind that is not read: {self.bits}-bit {what} {colour} with {packed}."
        raise ImageError(f"{name}: {reason} Save it as PNG, or as TIFF with 8 or 16 bits and LZW.", reason)

    def _values(self) -> tuple[NDArray[np.generic], int, NDArray[np.generic] | None]:
        """(H, W, samples), how many of them are colours, and the values of transparency where there are some."""
        wanted = 3 if self.tags.get(PHOTOMETRIC) == RGB else 1
        if self.samples < wanted:
            raise ValueError("too few values a pixel")
        extra = self.tags.get(EXTRA, ())
        has_alpha = self.samples > wanted and bool(extra) and int(extra[0]) in (1, 2) and self.kind != "i"
        taken = wanted + has_alpha
        segments = Segments.of(self.data, self.tags)
        predictor = int(self.tags.get(PREDICTOR, 1))
        little = self.data[:2] == b"II"
        layout = (self.width, self.height, self.bits, self.kind, little, predictor)
        if self.planar:
            planes = [read_rows(segments.plane(place, self.samples), 1, *layout) for place in range(taken)]
            values = np.concatenate(planes, -1)
        else:
            values = read_rows(segments, self.samples, *layout)
        return values, wanted, values[..., wanted] if has_alpha else None


def deep_tiff(data: bytes) -> DeepTiff | None:
    """The TIFF's first page when it needs more than Pillow: not 8 bits, floating point, many channels; None otherwise.

    Raises whatever Pillow's reader of tags stumbles over.
    """
    if not data.startswith(PREFIXES):
        return None
    big = data[2] == BIG
    tags = TiffImagePlugin.ImageFileDirectory_v2(data[: 16 if big else 8])
    with io.BytesIO(data) as file:
        file.seek(tags.next)
        tags.load(file)
    found = {tag: tags[tag] for tag in NEEDED if tag in tags}
    bits, formats = _all_of(found.get(BITS, (1,))), _all_of(found.get(SAMPLE_FORMAT, (1,)))
    if len(set(bits)) != 1 or len(set(formats)) != 1:
        return None
    many = found.get(PHOTOMETRIC) in (WHITE_IS_ZERO, BLACK_IS_ZERO) and _all_of(found.get(SAMPLES, 1))[0] > 2
    deep = bits[0] > 8 or formats[0] != 1 or bits[0] not in (1, 2, 4, 8) or many
    if not deep or (found.get(PHOTOMETRIC) == 5 and bits[0] == 16 and found.get(PLANAR, 1) == 1):  # CMYK: Pillow's
        return None
    width, height, samples = int(found[WIDTH]), int(found[HEIGHT]), int(found.get(SAMPLES, 1))
    kind = KINDS.get(formats[0], "c")
    return DeepTiff(data, found, width, height, bits[0], kind, samples, found.get(PLANAR, 1) == 2)


def _all_of(value: Any) -> tuple[int, ...]:
    return tuple(int(part) for part in value) if isinstance(value, tuple) else (int(value),)
