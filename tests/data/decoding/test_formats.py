"""Every format of the one list is read, whatever way its files are written."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageChops

from cnn_core.data.decode import decode
from cnn_core.data.decoding.formats import ENDINGS, FORMATS
from cnn_core.data.incoming.labels.labelled import images_among
from cnn_core.errors import ImageError
from pages.ui.frame.images import TYPES

FILES = Path(__file__).parents[1] / "files"
COLOURS = np.add.outer(np.arange(0, 40), np.arange(0, 60, 2))[..., None] * [1, 2, 0] + [0, 0, 90]
IMAGE = Image.fromarray(COLOURS.astype(np.uint8))


def saved(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def near(picture: Image.Image, wanted: Image.Image, most: int) -> bool:
    if picture.size != wanted.size:
        return False
    return bool(np.asarray(ImageChops.difference(picture.convert("RGB"), wanted)).max() <= most)


def heic(image: Image.Image = IMAGE, **options: object) -> bytes:
    pillow_heif.register_heif_opener()
    return saved(image, "HEIF", quality=95, **options)


def dib() -> bytes:
    return saved(IMAGE, "BMP")[14:]


WRITTEN = {
    "JPEG": lambda: saved(IMAGE, "JPEG", quality=95),
    "PNG": lambda: saved(IMAGE, "PNG"),
    "GIF": lambda: saved(IMAGE, "GIF"),
    "WEBP": lambda: saved(IMAGE, "WEBP", lossless=True),
    "TIFF": lambda: saved(IMAGE, "TIFF"),
    "AVIF": lambda: saved(IMAGE, "AVIF", quality=95),
    "HEIC": heic,
    "BMP": lambda: saved(IMAGE, "BMP"),
    "DIB": dib,
}


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.name)
def test_a_format_of_the_list_is_offered_taken_and_read(known: object) -> None:
    for ending in known.endings:  # type: ignore[attr-defined]
        assert ending in TYPES
        pictures, ignored, _ = images_among([f"cats/1.{ending}", f"cats/2.{ending.upper()}"])
        assert (len(pictures), ignored) == (2, {})
    lossy = known.name in ("JPEG", "AVIF", "HEIC", "GIF")  # type: ignore[attr-defined]
    assert near(decode(WRITTEN[known.name](), "x"), IMAGE, 24 if lossy else 0)  # type: ignore[attr-defined]


def test_what_is_not_offered_is_not_read() -> None:
    assert {"ico", "svg", "pdf", "jp2", "psd"}.isdisjoint(ENDINGS)
    for format in ("ICO", "PPM", "JPEG2000"):
        with pytest.raises(ImageError, match="is not an image"):
            decode(saved(IMAGE.resize((32, 32)), format), "x")


@pytest.mark.parametrize("file", ["photo.avif", "bitmap.dib"])
def test_what_people_brought(file: str) -> None:
    picture = decode((FILES / file).read_bytes(), file)
    assert (picture.mode, picture.size) == ("RGB", (128, 128))
    assert np.asarray(picture).std() > 20


@pytest.mark.parametrize("data", [b"\0\0\0\x18ftypheic" + b"\0" * 40, heic()[:200], heic()[:-400]])
def test_a_broken_heic_is_a_sentence(data: bytes) -> None:
    with pytest.raises(ImageError, match=r"x.heic is (not an image, or it is )?damaged"):
        decode(data, "x.heic")


def test_a_turned_heic_is_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = IMAGE.transpose(Image.Transpose.ROTATE_90)
    assert near(decode(heic(turned, exif=exif.tobytes()), "x.heic"), IMAGE, 24)


MASKS = {
    "bgra": (0xFF0000, 0xFF00, 0xFF, 0xFF000000),
    "rgba": (0xFF, 0xFF00, 0xFF0000, 0xFF000000),
    "argb in odd places": (0xFF00, 0xFF0000, 0xFF000000, 0xFF),
    "no transparency": (0xFF, 0xFF0000, 0xFF00, 0),
    "ten bits each": (0x3FF00000, 0xFFC00, 0x3FF, 0),
}


def bitfields(masks: tuple[int, ...], header: int, below: bool = True, alpha: int = 255) -> bytes:
    """A 32-bit BMP with masks in a header of 40 (behind it), 56, 108 or 124 bytes."""
    stored = np.zeros(COLOURS.shape[:2], np.uint32)
    for values, mask in zip((*COLOURS.transpose(2, 0, 1), np.full(stored.shape, alpha)), masks, strict=True):
        if mask:
            shift = (mask & -mask).bit_length() - 1
            stored |= (np.rint(values / 255 * (mask >> shift)).astype(np.uint32)) << np.uint32(shift)
    body = (stored[::-1] if below else stored).astype("<u4").tobytes()
    height = len(stored) if below else -len(stored)
    start = struct.pack("<IiiHHIIiiII", header, stored.shape[1], height, 1, 32, 3, len(body), 0, 0, 0, 0)
    start += struct.pack("<4I", *masks)[: 12 if header == 40 else 16]
    start = start.ljust(header, b"\0")
    return struct.pack("<2sIII", b"BM", 14 + len(start) + len(body), 0, 14 + len(start)) + start + body


@pytest.mark.parametrize("header", [40, 56, 108, 124])
@pytest.mark.parametrize("below", [True, False])
@pytest.mark.parametrize("masks", MASKS)
def test_a_bitmap_with_masks_of_its_own(masks: str, below: bool, header: int) -> None:
    assert near(decode(bitfields(MASKS[masks], header, below), "x.bmp"), IMAGE, 1)
    assert near(decode(bitfields(MASKS[masks], header, below)[14:], "x.dib"), IMAGE, 1)


def test_transparency_of_a_bitmap() -> None:
    assert decode(bitfields(MASKS["bgra"], 124, alpha=1), "x.bmp").getpixel((3, 3)) == (254, 254, 254)
    assert near(decode(bitfields(MASKS["bgra"], 124, alpha=0), "x.bmp"), IMAGE, 1), "nothing was meant by it"


def test_a_bitmap_cut_short_is_a_sentence() -> None:
    with pytest.raises(ImageError, match="damaged or cut short"):
        decode(bitfields(MASKS["bgra"], 124)[:-9], "x.bmp")


@pytest.mark.parametrize("megabytes", [1, 3])
def test_a_large_colour_profile_is_dropped(megabytes: int) -> None:
    profile = np.random.default_rng(0).bytes(megabytes * 2**20 + 1)
    for format in ("PNG", "JPEG", "TIFF", "WEBP"):
        options = {"lossless": True} if format == "WEBP" else {}
        picture = decode(saved(IMAGE, format, icc_profile=profile, **options), "x")
        assert near(picture, IMAGE, 30 if format == "JPEG" else 0)


def test_a_large_text_is_dropped() -> None:
    data, packed = saved(IMAGE, "PNG"), b"note\0\0" + zlib.compress(b"\0" * 50_000_000)
    chunk = struct.pack(">I", len(packed)) + b"zTXt" + packed + struct.pack(">I", zlib.crc32(b"zTXt" + packed))
    assert near(decode(data[:33] + chunk + data[33:], "x.png"), IMAGE, 0)


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "WEBP", "AVIF"])
def test_an_orientation_that_only_xmp_states_does_not_count(format: str) -> None:
    options: dict[str, object] = {"xmp": XMP}
    if format == "PNG":
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", XMP.decode())
        options = {"pnginfo": info}
    if format == "TIFF":
        options = {"tiffinfo": {700: XMP}}
    data = saved(IMAGE, format, **options)
    assert b"tiff:Orientation" in data
    assert decode(data, "x").size == IMAGE.size


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_an_orientation_of_exif_counts_beside_another_one_of_xmp(format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    options = {} if format in ("PNG", "TIFF") else {"xmp": XMP}
    assert decode(saved(IMAGE, format, exif=exif, **options), "x").size == IMAGE.size[::-1]
