"""An opened image as plain grey or RGB, upright and not larger than a network can need, in little memory."""

from __future__ import annotations

import numpy as np
from PIL import ExifTags, Image

from cnn_core.data.decoding.formats import BYTES_PER_PIXEL
from cnn_core.data.decoding.values import to_bytes

BACKGROUND = (255, 255, 255)  # transparent images are laid on white
SHORTER_SIDE = 1024  # pixels that are kept of a larger one: four times what the largest network sees
BAND = 2**18  # pixels converted at once
BLOCK = 64 * 2**20  # bytes Pillow asks for at once, at most. 16 MB by default, which malloc does not give back at once:
# eight threads at work on 49 million pixels each, two at a time by their allowance, took 1,230 MB; with these 426.
SCALED, ORIGINAL = "cnn-playground scaled", "cnn-playground original size"  # in an image's `info`
GREY_MODES = ("1", "L", "LA", "La")
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # EXIF 2.3, tag 0x0112: what a viewer does

Image.core.set_block_size(BLOCK)


def plain_image(
    image: Image.Image, orientation: int = 0, scaled: str = "", size: tuple[int, int] | None = None
) -> Image.Image:
    """The first frame in mode "L" or "RGB"; `orientation` is read from its EXIF data unless it is
    given, `size` is its own where it was opened smaller."""
    size = size or image.size
    for notes in ("xmp", "XML:com.adobe.xmp"):  # an orientation that they alone state does not count in browsers
        image.info.pop(notes, None)
    image.load()
    orientation = orientation or _orientation(image)
    if image.mode.startswith(("I", "F")):
        values, scaled = to_bytes(np.asarray(image), 2**16 - 1 if image.format == "PNG" else 0)
        image = Image.fromarray(values)
    small = _converted(image, reduction(image.size))
    upright = small.transpose(TURNS[orientation]) if orientation in TURNS else small
    upright.info = {ORIGINAL: size[::-1] if orientation in (5, 6, 7, 8) else size, SCALED: scaled}
    return upright


def reduction(size: tuple[int, int]) -> int:
    """By how much an image is made smaller while it is decoded: a whole number."""
    return max(1, min(size) // SHORTER_SIDE)


def draft(image: Image.Image) -> tuple[int, int]:
    """Let a large JPEG be computed at a half, a quarter or an eighth of its sides. Returns its own width and height."""
    size = image.size
    if image.format in ("JPEG", "MPO") and reduction(size) > 1:
        image.draft(None, (size[0] // reduction(size), size[1] // reduction(size)))
    return size


def memory_needed(image: Image.Image, size: tuple[int, int]) -> int:
    """Bytes that decoding an opened image takes at most, estimated; `size` is its own before `draft`."""
    width, height = size
    coefficients = 6 * width * height if image.info.get("progressive") else 0  # of JPEG, all kept until the end
    return image.width * image.height * BYTES_PER_PIXEL.get(image.format or "", 16) + coefficients


def _orientation(image: Image.Image) -> int:
    """As EXIF states it; broken EXIF data states none."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:
        return 1


def _converted(image: Image.Image, factor: int) -> Image.Image:
    """In mode "L" or "RGB" and smaller by `factor`, band by band: what lies between needs memory for one band."""
    rows = max(1, BAND // image.width // factor) * factor
    if factor == 1 and rows >= image.height:
        return _grey_or_rgb(image)
    size = -(-image.width // factor), -(-image.height // factor)
    whole = Image.new("L" if image.mode in GREY_MODES else "RGB", size)
    for top in range(0, image.height, rows):
        band = _grey_or_rgb(image.crop((0, top, image.width, min(top + rows, image.height))))
        whole.paste(band.reduce(factor) if factor > 1 else band, (0, top // factor))
    return whole


def _grey_or_rgb(image: Image.Image) -> Image.Image:
    mode = "L" if image.mode in GREY_MODES else "RGB"
    if image.has_transparency_data or image.mode in ("La", "RGBa"):
        upper = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", upper.size, (*BACKGROUND, 255)), upper)
        return image.convert("RGB").convert(mode)  # by way of RGB, which keeps equal channels as they are
    return image.convert(mode)
