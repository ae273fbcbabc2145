"""TIFFs of instruments against tifffile: the same values, scaled to 0–255 by the stated rule."""

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from cnn_core.data.decode import decode, how_scaled
from cnn_core.data.decoding.tiff import deep_tiff
from cnn_core.errors import ImageError

FILES = Path(__file__).parents[1] / "files"
DRAW = np.random.default_rng(0)
RAMP = np.linspace(0, 1, 40 * 33).reshape(40, 33)


def tiff(values: NDArray[Any], **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, values, **options)
    return file.getvalue()


def near(image: Image.Image, wanted: NDArray[Any]) -> bool:
    pixels = np.asarray(image).astype(int)
    return pixels.shape == wanted.shape and bool(np.abs(pixels - np.rint(wanted)).max() <= 1)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"rowsperstrip": 7},
        {"tile": (16, 32)},
        {"compression": "zlib"},
        {"compression": "zlib", "predictor": True},
        {"compression": "zlib", "tile": (32, 16), "predictor": True},
    ],
    ids=["plain", "strips", "tiles", "deflate", "predicted", "predicted tiles"],
)
@pytest.mark.parametrize("kind", [np.uint16, np.float32, np.float64, np.uint32])
def test_colour_of_every_depth_and_layout(kind: type, options: dict[str, Any], planar: str, byteorder: str) -> None:
    colours = DRAW.random((40, 33, 3))
    values = colours if np.issubdtype(kind, np.floating) else np.rint(colours * 65535)
    stored = values.astype(kind) if planar == "contig" else values.astype(kind).transpose(2, 0, 1)
    if options.get("predictor") and np.issubdtype(kind, np.floating):
        options = options | {"predictor": 1}  # tifffile writes the floating-point one only with imagecodecs
    data = tiff(stored, photometric="rgb", planarconfig=planar, byteorder=byteorder, **options)
    assert near(decode(data, "x.tif"), colours * 255)


def test_bigtiff() -> None:
    values = np.rint(RAMP * 65535).astype(np.uint16)
    assert near(decode(tiff(values, photometric="minisblack", bigtiff=True), "x.tif"), RAMP * 255)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("white_is_zero", [False, True])
def test_sixteen_bit_grey_both_ways_round(white_is_zero: bool, compression: str) -> None:
    values = np.rint(RAMP * 65535).astype(np.uint16)
    file = io.BytesIO()
    Image.fromarray(values).save(file, "TIFF", compression=compression, tiffinfo={262: 0 if white_is_zero else 1})
    data = file.getvalue()
    with tifffile.TiffFile(io.BytesIO(data)) as opened:
        assert opened.pages[0].tags[262].value == (0 if white_is_zero else 1)
    wanted = values / 257
    assert near(decode(data, "x.tif"), 255 - wanted if white_is_zero else wanted)


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_values_of_fewer_bits_than_their_container(bits: int) -> None:
    top = 2**bits - 1
    data = tiff(np.rint(RAMP * top).astype(np.uint16), photometric="minisblack")
    image = decode(data, "x.tif")
    assert near(image, RAMP * 255)
    assert how_scaled(image) == f"Values from 0 to {top:,} became 0 to 255."


def by_hand(shape: tuple[int, ...], body: bytes, tags: dict[int, int]) -> bytes:
    """A little-endian grey TIFF of a kind that neither Pillow nor tifffile writes."""
    tags = {256: shape[1], 257: shape[0], 259: 1, 262: 1, 273: 8, 277: 1, 278: shape[0], 279: len(body)} | tags
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    return struct.pack("<2sHI", b"II", 42, 8 + len(body)) + body + struct.pack("<H", len(tags)) + entries + bytes(4)


def packed(values: NDArray[Any], bits: int) -> bytes:
    rows = (values[..., None] >> np.arange(bits - 1, -1, -1)) & 1
    body = np.packbits(rows.reshape(len(values), -1).astype(np.uint8), axis=1).tobytes()
    return by_hand(values.shape, body, {258: bits})


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_values_packed_without_gaps(bits: int) -> None:
    """The rule does not look at the values here, for the file states its bits: half of them stays half as bright."""
    assert near(decode(packed(np.rint(RAMP * (2**bits - 1)).astype(int), bits), "x.tif"), RAMP * 255)
    assert near(decode(packed(np.rint(RAMP / 8 * (2**bits - 1)).astype(int), bits), "x.tif"), RAMP / 8 * 255)


def test_the_largest_value_that_the_file_states_is_white() -> None:
    data = tiff(np.rint(RAMP * 500).astype(np.uint16), photometric="minisblack", extratags=[(281, 3, 1, 1000, True)])
    assert near(decode(data, "x.tif"), RAMP * 127.5)


def test_tomography_with_negative_values_takes_its_own_range() -> None:
    image = decode(tiff((RAMP * 3000 - 1000).astype(np.int16), photometric="minisblack"), "x.tif")
    assert near(image, RAMP * 255)
    assert "own range" in how_scaled(image)


def test_the_floating_point_predictor() -> None:
    """Adobe's Technical Note 3: bytes of a row by significance, then their differences."""
    values = (RAMP * 100 - 20).astype(np.float32)
    planes = values.astype(">f4").view(np.uint8).reshape(40, 33, 4).transpose(0, 2, 1).reshape(40, -1)
    stored = np.diff(planes.astype(np.int16), axis=1, prepend=0).astype(np.uint8).tobytes()
    assert near(decode(by_hand(values.shape, stored, {258: 32, 317: 3, 339: 3}), "x.tif"), RAMP * 255)


def test_transparency_of_sixteen_bits_is_laid_on_white() -> None:
    values = np.full((8, 8, 4), 65535, np.uint16)
    values[..., 1:3] = 0
    values[:, 4:, 3] = 0
    image = decode(tiff(values, photometric="rgb", extrasamples=["unassalpha"]), "x.tif")
    assert image.getpixel((1, 1)) == (255, 0, 0)
    assert image.getpixel((6, 1)) == (255, 255, 255)


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize(
    ("kind", "said"), [(np.uint8, ""), (np.uint16, "Values from 0 to 65,535 became 0 to 255. ")], ids=["8", "16"]
)
def test_of_many_channels_the_first_is_taken_and_that_is_said(kind: type, said: str, planar: str) -> None:
    channels = [np.rint(RAMP * np.iinfo(kind).max)] + [np.zeros_like(RAMP)] * 4
    values = np.stack(channels, 0 if planar == "separate" else -1).astype(kind)
    image = decode(tiff(values, photometric="minisblack", planarconfig=planar), "x.tif")
    assert near(image, RAMP * 255)
    assert how_scaled(image) == f"{said}Of 5 channels the first was taken."


def test_a_turned_deep_tiff_is_upright() -> None:
    data = tiff(np.rint(RAMP * 65535).astype(np.uint16), photometric="minisblack", extratags=[(274, 3, 1, 6, True)])
    assert near(decode(data, "x.tif"), np.rot90(RAMP, -1) * 255)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"photometric": "minisblack", "dtype": np.complex64}, "complex"),
        ({"photometric": 8, "dtype": np.uint16}, "16-bit whole-number Lab"),
    ],
)
def test_what_is_not_read_is_named(options: dict[str, Any], named: str) -> None:
    kind = options.pop("dtype")
    shape = (8, 8, 3) if options["photometric"] == 8 else (8, 8)
    with pytest.raises(ImageError, match=named):
        decode(tiff(np.zeros(shape, kind), **options), "x.tif")


def test_a_deep_image_with_too_many_pixels_is_refused_before_it_is_read() -> None:
    data = tiff(np.zeros((8, 8), np.uint16), photometric="minisblack")
    for tag in (256, 257):
        place = data.index(struct.pack("<H", tag))
        data = data[: place + 2] + struct.pack("<HII", 4, 1, 200_000) + data[place + 12 :]
    assert deep_tiff(data).width == 200_000  # type: ignore[union-attr]
    with pytest.raises(ImageError, match="too many pixels"):
        decode(data, "x.tif")


@pytest.mark.parametrize(
    ("file", "deepest"),
    [
        ("tiff_rgb16_planar_garbled.tif", 65535),
        ("tiff_12bit_in_16_nearly_black.tif", 4095),
        ("tiff_gray_float64_refused.tif", 1),
        ("tiff_rgb_float32_refused.tif", 1),
    ],
)
def test_what_people_brought(file: str, deepest: float) -> None:
    values = tifffile.imread(FILES / file).astype(float)
    wanted = values.transpose(1, 2, 0) if len(values) == 3 else values
    assert near(decode((FILES / file).read_bytes(), file), wanted / deepest * 255)
