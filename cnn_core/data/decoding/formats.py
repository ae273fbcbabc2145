"""The image formats that are read: one list for uploading, importing and decoding."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ImageFormat:
    """A format under the name people know, Pillow's name of its reader, and the usual endings of its files."""

    name: str
    reader: str
    endings: tuple[str, ...]
    bytes_per_pixel: int  # at most, while decoded: Pillow's image and the buffers of the library below it


FORMATS = (  # in the order in which readers look at a file: a DIB only starts with a small number
    ImageFormat("JPEG", "JPEG", ("jpg", "jpeg", "jpe", "jfif", "mpo"), 6),  # MPO: two images, as phones write
    ImageFormat("PNG", "PNG", ("png", "apng"), 4),
    ImageFormat("GIF", "GIF", ("gif",), 6),
    ImageFormat("WEBP", "WEBP", ("webp",), 16),
    ImageFormat("TIFF", "TIFF", ("tif", "tiff"), 12),
    ImageFormat("AVIF", "AVIF", ("avif", "avifs"), 16),
    ImageFormat("HEIC", "HEIF", ("heic", "heif", "hif", "heics", "heifs"), 16),
    ImageFormat("BMP", "BMP", ("bmp",), 8),
    ImageFormat("DIB", "DIB", ("dib",), 8),  # a BMP without its first 14 bytes
)
ENDINGS = tuple(ending for known in FORMATS for ending in known.endings)
READERS = tuple(known.reader for known in FORMATS)
NAMES = f"{', '.join(known.name for known in FORMATS[:-2])} and {FORMATS[-2].name}"  # a DIB is a BMP to people
BYTES_PER_PIXEL = {known.reader: known.bytes_per_pixel for known in FORMATS}

# Images of other kinds that people bring, by their first bytes (at a place): better named than called damaged.
_UNREAD: tuple[tuple[str, int, bytes], ...] = (
    ("JPEG 2000", 0, b"\0\0\0\x0cjP  "),
    ("JPEG 2000", 0, b"\xff\x4f\xff\x51"),
    ("JPEG XL", 0, b"\xff\x0a"),
    ("JPEG XL", 0, b"\0\0\0\x0cJXL "),
    ("Photoshop", 0, b"8BPS"),
    ("OpenEXR", 0, b"\x76\x2f\x31\x01"),
    ("DICOM", 128, b"DICM"),
    ("FITS", 0, b"SIMPLE  ="),
    ("PDF", 0, b"%PDF-"),
    ("PostScript", 0, b"%!PS"),
    ("SVG", 0, b"<svg"),
    ("icon", 0, b"\0\0\1\0"),
    ("Canon raw", 4, b"ftypcrx"),
    ("Fujifilm raw", 0, b"FUJIFILMCCD-RAW"),
)


def named_unread(data: bytes) -> str:
    """The name of a well-known format that is not read here, "" for what is not recognised."""
    return next((name for name, place, start in _UNREAD if data[place : place + len(start)] == start), "")
