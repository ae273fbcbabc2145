"""Images from strangers: the right pixels or a plain sentence, and never another exception."""

import contextlib
import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from cnn_core.data.decode import decode, original_size
from cnn_core.data.decoding.formats import READERS
from cnn_core.errors import ImageError
from tests.data.decoding.test_formats import MASKS, bitfields, heic

GRADIENT = np.add.outer(np.arange(40), np.arange(30) * 4).astype(np.uint8)
COLOURS = np.stack([GRADIENT, GRADIENT[::-1], 255 - GRADIENT], -1)
PHOTO = Image.fromarray(COLOURS)
ORIENTATION = 0x0112


def saved(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def png(width: int, height: int, depth: int, kind: int, rows: bytes) -> bytes:
    """A PNG written by hand: kinds 0 grey, 2 RGB, 4 grey and alpha, 6 RGBA."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF", "GIF", "WEBP"])
def test_lossless_formats_keep_every_pixel(format: str) -> None:
    image = PHOTO.quantize(64).convert("RGB")
    picture = decode(saved(image, format, **({"lossless": True} if format == "WEBP" else {})), f"x.{format}")
    assert picture.mode == "RGB"
    assert ImageChops.difference(picture, image).getbbox() is None


@pytest.mark.parametrize("format", ["JPEG", "MPO", "WEBP"])
def test_lossy_formats_stay_close(format: str) -> None:
    picture = decode(saved(PHOTO, format, quality=95), "x.jpg")
    assert np.abs(np.asarray(picture).astype(int) - COLOURS).mean() < 4


def test_a_mislabelled_file_is_told_by_its_content() -> None:
    assert np.array_equal(decode(saved(PHOTO, "PNG"), "holiday.jpg"), COLOURS)


def test_grey_stays_grey() -> None:
    picture = decode(saved(Image.fromarray(GRADIENT), "PNG"), "x.png")
    assert picture.mode == "L"
    assert np.array_equal(picture, GRADIENT)


def test_black_and_white_becomes_grey() -> None:
    bits = np.eye(9, dtype=bool)
    picture = decode(saved(Image.fromarray(bits), "PNG"), "x.png")
    assert picture.mode == "L"
    assert np.array_equal(picture, bits * 255)


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_and_not_clipped(format: str) -> None:
    values = np.arange(0, 65536, 16).astype(np.uint16).reshape(64, 64)
    picture = decode(saved(Image.fromarray(values), format), "x")
    assert picture.mode == "L"
    assert np.array_equal(picture, np.rint(values / 257))


def test_sixteen_bit_colour_and_alpha() -> None:
    def rows(*channels: int) -> bytes:
        return b"".join(b"\0" + struct.pack(f">{len(channels)}H", *channels) * 3 for _ in range(2))

    colour = decode(png(3, 2, 16, 2, rows(0xFFFF, 0x8080, 0)), "x.png")
    assert colour.getpixel((1, 1)) == (255, 128, 0)
    grey = decode(png(3, 2, 16, 4, rows(0x4040, 0xFFFF)), "x.png")
    assert abs(int(np.asarray(grey.convert("L"))[0, 0]) - 0x40) <= 1
    clear = decode(png(3, 2, 16, 6, rows(0, 0, 0, 0)), "x.png")
    assert clear.getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (np.array([[0, 0.5, 1]], np.float32), [0, 128, 255]),
        (np.array([[0, 100, 255]], np.float32), [0, 100, 255]),
        (np.array([[-1, 0, 1]], np.float32), [0, 128, 255]),
        (np.array([[np.nan, 0, 1]], np.float32), [0, 0, 255]),
        (np.array([[0, 0, 0]], np.float32), [0, 0, 0]),
        (np.array([[-7, -7, -7]], np.float32), [0, 0, 0]),
        (np.array([[-3e38, 0, 3e38]], np.float32), [0, 128, 255]),
        (np.array([[np.inf, -np.inf, 0]], np.float32), [255, 0, 128]),
        (np.array([[0, 257, 65535]], np.int32), [0, 1, 255]),
        (np.array([[0, 500_000, 1_000_000]], np.int32), [0, 128, 255]),
    ],
)
def test_deep_tiffs_are_brought_into_range(values: np.ndarray, wanted: list[int]) -> None:
    picture = decode(saved(Image.fromarray(values), "TIFF"), "x.tif")
    assert np.abs(np.asarray(picture).ravel().astype(int) - wanted).max() <= 1


def test_cmyk() -> None:
    picture = decode(saved(PHOTO.convert("CMYK"), "TIFF"), "print.tif")
    assert picture.mode == "RGB"
    assert np.abs(np.asarray(picture).astype(int) - COLOURS).max() <= 1


def test_a_palette_becomes_colours() -> None:
    image = PHOTO.quantize(16)
    assert np.array_equal(decode(saved(image, "PNG"), "x.png"), image.convert("RGB"))


@pytest.mark.parametrize(
    ("image", "options", "mode"),
    [
        (Image.new("RGBA", (4, 4), (200, 0, 0, 0)), {}, "RGB"),
        (Image.new("LA", (4, 4), (0, 0)), {}, "L"),
        (Image.new("RGB", (4, 4), (1, 2, 3)), {"transparency": (1, 2, 3)}, "RGB"),
        (Image.new("L", (4, 4), 7), {"transparency": 7}, "L"),
        (Image.new("1", (4, 4), 0), {"transparency": 0}, "L"),
        (Image.new("P", (4, 4), 0), {"transparency": 0}, "RGB"),
        (Image.new("P", (4, 4), 0), {"transparency": b"\0\1"}, "RGB"),
    ],
    ids=["RGBA", "LA", "RGB key", "L key", "1 key", "palette entry", "palette alphas"],
)
def test_what_is_transparent_is_white(image: Image.Image, options: dict[str, object], mode: str) -> None:
    picture = decode(saved(image, "PNG", **options), "x.png")
    assert picture.mode == mode
    assert np.asarray(picture).min() == 255


def test_half_transparent_is_half_white() -> None:
    picture = decode(saved(Image.new("RGBA", (4, 4), (255, 0, 0, 128)), "PNG"), "x.png")
    assert picture.getpixel((0, 0)) == (255, 127, 127)


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "TIFF", "MPO"])
def test_of_an_animation_the_first_frame_is_taken(format: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]
    options = {"lossless": True} if format == "WEBP" else {}
    data = saved(frames[0], format, save_all=True, append_images=frames[1:], **options)
    red, green, blue = decode(data, "x").getpixel((4, 4))  # type: ignore[misc]
    assert (red > 250, green < 5, blue < 5) == (True, True, True)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_turned_camera_does_not_turn_the_image(format: str, orientation: int) -> None:
    upright = Image.fromarray(np.kron([[0, 85], [170, 255]], np.ones((16, 24))).astype(np.uint8)).convert("RGB")
    # What a viewer must do with each orientation, undone: EXIF 2.3, tag 0x0112.
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(turn[orientation]) if orientation in turn else upright
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    picture = decode(saved(stored, format, exif=exif), "x")
    assert picture.size == (48, 32)
    assert np.abs(np.asarray(picture).astype(int) - np.asarray(upright)).max() < 12


def test_broken_exif_does_not_spoil_a_good_image() -> None:
    data = saved(PHOTO, "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff garbage")
    assert np.array_equal(decode(data, "x.png"), COLOURS)


def bomb_png(width: int, height: int) -> bytes:
    return png(width, height, 1, 0, b"\0" * 100)


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "is empty"),
    "text": (lambda: b"hello, I am an image", "is not an image"),
    "svg": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is not an image"),
    "pdf": (lambda: b"%PDF-1.4\n", "is not an image"),
    "zip": (lambda: b"PK\3\4" + b"\0" * 60, "is not an image"),
    "postscript": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is not an image"),
    "a format not on the list": (lambda: saved(PHOTO, "ICO"), "is not an image"),
    "another one": (lambda: saved(PHOTO, "PPM"), "is not an image"),
    "only a header": (lambda: saved(PHOTO, "PNG")[:40], "damaged"),
    "half a JPEG": (lambda: saved(PHOTO, "JPEG")[:-300], "damaged or cut short"),
    "half a PNG": (lambda: saved(PHOTO, "PNG")[:-30], "damaged or cut short"),
    "wrong checksum": (lambda: saved(PHOTO, "PNG").replace(b"IDAT", b"IDAT\1", 1), "damaged or cut short"),
    "no pixels": (lambda: png(0, 0, 8, 2, b""), ""),
    "too many pixels": (lambda: bomb_png(8000, 8000), "too many pixels"),
    "a bomb Pillow warns of": (lambda: bomb_png(10_000, 9_500), "too many pixels"),
    "a bomb Pillow refuses": (lambda: bomb_png(30_000, 30_000), "too many pixels"),
    "a bomb of four thousand million pixels a side": (lambda: bomb_png(2**31 - 1, 2**31 - 1), "too many pixels"),
    "a text bomb": (
        lambda: (
            saved(PHOTO, "PNG")[:33]
            + struct.pack(">I", 70_000)
            + b"zTXt"
            + b"a\0\0"
            + zlib.compress(b"\0" * 50_000_000)[:69_997]
            + b"\0" * 4
        ),
        "",
    ),
    "too many bytes": (lambda: saved(PHOTO, "PNG") + b"\0" * 20_000_000, "20.0 MB; at most 20 MB"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_a_sentence_that_names_it(kind: str) -> None:
    make, cause = HOSTILE[kind]
    with pytest.raises(ImageError) as raised:
        decode(make(), "cat.png")
    sentence = str(raised.value)
    assert sentence.startswith("cat.png ")
    assert cause in sentence
    assert sentence.endswith(".")


def test_bombs_do_not_warn_on_stderr() -> None:
    code = (
        "import sys; from cnn_core.data.decode import decode, ImageError\n"
        "try: decode(sys.stdin.buffer.read(), 'x.png')\n"
        "except ImageError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], input=bomb_png(10_000, 9_500), capture_output=True, check=True)
    assert b"too many pixels" in done.stdout
    assert not done.stderr


def test_the_operator_s_limits_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNN_PLAYGROUND_UPLOAD_MEGAPIXELS", "100")
    assert original_size(decode(png(10_000, 9_500, 1, 0, (b"\0" * 1251) * 9_500), "x.png")) == (10_000, 9_500)
    monkeypatch.setenv("CNN_PLAYGROUND_UPLOAD_MEGAPIXELS", "1")
    with pytest.raises(ImageError, match="at most 1 million"):
        decode(saved(Image.new("L", (1001, 1000)), "PNG"), "x.png")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\cat.png", "cat.png"),
        ("a\nb\x00.png", "a?b?.png"),
        ("", "The file"),
        ("x" * 300 + ".png", "x" * 40 + "…" + "x" * 11 + ".png"),
    ],
)
def test_the_name_in_a_sentence_is_short_and_printable(name: str, shown: str) -> None:
    with pytest.raises(ImageError) as raised:
        decode(b"", name)
    assert str(raised.value) == f"{shown} is empty. Choose another file."


STARTS = [saved(PHOTO, format) for format in READERS if format not in ("HEIF", "AVIF")] + [
    saved(PHOTO.convert("CMYK"), "JPEG"),
    saved(PHOTO.convert("RGBA"), "WEBP"),
    saved(PHOTO.quantize(9), "GIF"),
    saved(Image.fromarray(GRADIENT.astype(np.uint16) * 257), "PNG"),
    saved(PHOTO, "TIFF", compression="tiff_lzw"),
    saved(PHOTO, "TIFF", compression="jpeg"),
    saved(PHOTO, "AVIF"),
    heic(PHOTO),
    bitfields(MASKS["bgra"], 124),
    saved(Image.fromarray(GRADIENT.astype(np.float32)), "TIFF", compression="tiff_lzw"),
    saved(Image.fromarray(GRADIENT.astype(np.uint16) * 257), "TIFF"),
    saved(PHOTO.convert("1"), "TIFF", compression="group4"),
]


def decodes_or_says_why(data: bytes) -> None:
    with contextlib.suppress(ImageError):
        picture = decode(data, "x")
        assert picture.mode in ("L", "RGB")
        assert np.asarray(picture).dtype == np.uint8


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_random_bytes_raise_nothing_else(data: bytes) -> None:
    decodes_or_says_why(data)


@given(st.sampled_from(STARTS), st.data())
@settings(max_examples=150, deadline=None)
def test_truncated_files_raise_nothing_else(whole: bytes, data: st.DataObject) -> None:
    decodes_or_says_why(whole[: data.draw(st.integers(0, len(whole)))])


@given(st.sampled_from(STARTS), st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=12))
@settings(max_examples=300, deadline=None)
def test_files_with_changed_bytes_raise_nothing_else(whole: bytes, changes: list[tuple[int, int]]) -> None:
    changed = bytearray(whole)
    for place, value in changes:
        changed[place % len(changed)] = value
    decodes_or_says_why(bytes(changed))


@given(st.sampled_from([whole[:n] for whole in STARTS for n in (8, 30, 60)]), st.binary(max_size=200))
@settings(max_examples=150, deadline=None)
def test_headers_with_random_bytes_after_them_raise_nothing_else(head: bytes, rest: bytes) -> None:
    decodes_or_says_why(head + rest)
