"""One hardened way from the bytes of a stranger's image to pixels."""

from __future__ import annotations

import io
import warnings
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from cnn_core.data.decoding.bitmap import Bitmap, has_bitfields
from cnn_core.data.decoding.budget import memory_for
from cnn_core.data.decoding.formats import BYTES_PER_PIXEL, NAMES, READERS, named_unread
from cnn_core.data.decoding.plain import ORIGINAL, SCALED, draft, memory_needed, plain_image
from cnn_core.data.decoding.png import without_notes
from cnn_core.data.decoding.tiff import deep_tiff
from cnn_core.errors import ImageError
from cnn_core.settings import settings

Fit = Literal["crop", "pad", "squash"]  # how an image becomes square

# A warning on stderr helps nobody: as an error it becomes a sentence below.
warnings.simplefilter("error", Image.DecompressionBombWarning)


def decode(data: bytes, name: str) -> Image.Image:
    """The first frame of an image, upright, in mode "L" (grey images) or "RGB".

    Formats: those of `decoding.formats`, recognised by content and not by name. Deeper values than 8 bits are scaled
    (`how_scaled`), transparency is laid on white, EXIF rotation is applied. An image whose shorter side has 2,048
    pixels or more comes reduced by a whole number (`original_size`), at least 1,024 pixels on that side. Decoding waits
    until there is room in `decode_megabytes`. `name` is the file's name, for messages.
    Raises ImageError, and nothing else, with the cause and what to do.
    """
    limits = settings()
    file = shown_name(name)
    if not data:
        raise ImageError(f"{file} is empty. Choose another file.", "It is empty.")
    if len(data) > limits.upload_megabytes * 1_000_000:
        size = f"{len(data) / 1e6:.1f} MB"
        raise ImageError(
            f"{file} has {size}; at most {limits.upload_megabytes} MB are accepted. Save it smaller.",
            "It has too many megabytes.",
        )
    try:
        return _decoded(data, file, limits.upload_megapixels * 1_000_000)
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise _unidentified(data, file) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        raise ImageError(
            f"{file} has too many pixels; at most {limits.upload_megapixels} million are accepted. Make it smaller.",
            "It has too many pixels.",
        ) from None
    except Exception:
        raise ImageError(
            f"{file} is damaged or cut short. Save it again or choose another file.", "It is damaged or cut short."
        ) from None


def how_scaled(image: Image.Image) -> str:
    """How the values of a decoded image were scaled to 0–255, in a sentence; "" where they had 8 bits."""
    return str(image.info.get(SCALED, ""))


def original_size(image: Image.Image) -> tuple[int, int]:
    """Width and height in pixels that a decoded image has in its file, upright."""
    width, height = image.info.get(ORIGINAL, image.size)
    return int(width), int(height)


def fit(image: Image.Image, channels: int, size: int, how: Fit = "crop") -> NDArray[np.uint8]:
    """uint8 (channels, size, size): an image made square and resized smoothly, grey (1) or RGB (3).

    "crop" keeps the centre square, "pad" adds black bars, "squash" ignores the aspect.
    Pillow's BILINEAR averages over every source pixel when it makes an image smaller, so fine detail does not
    turn into false patterns. A square image of the right size and mode comes back unchanged.
    """
    if channels not in (1, 3):
        raise ValueError(f"an image has 1 or 3 channels, not {channels}")
    mode = "L" if channels == 1 else "RGB"
    if image.mode not in ("L", "RGB"):
        image = image.convert(mode)
    if how == "pad":
        square = ImageOps.pad(image, (size, size), Image.Resampling.BILINEAR)
    elif how == "squash":
        square = image.resize((size, size), Image.Resampling.BILINEAR)
    else:
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        cut = image.crop((left, top, left + side, top + side))
        square = cut.resize((size, size), Image.Resampling.BILINEAR)
    pixels = np.asarray(square.convert(mode))
    return pixels[None] if channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def shown_name(name: str) -> str:
    """A file's name fit for a sentence: printable, without folders, not long."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    clean = "".join(letter if letter.isprintable() else "?" for letter in last).strip() or "The file"
    return clean if len(clean) <= 60 else f"{clean[:40]}…{clean[-15:]}"


def _decoded(data: bytes, file: str, most: int) -> Image.Image:
    """`most`: pixels accepted. Raises ImageError and whatever Pillow raises."""
    if tiff := deep_tiff(data):
        _check_pixels(tiff.width, tiff.height * max(4, tiff.samples) // 4, most)
        with memory_for(tiff.bytes_needed):
            image, scaled = tiff.image(file)
            return plain_image(image, tiff.orientation, scaled)
    if has_bitfields(data):
        bitmap = Bitmap(data)
        _check_pixels(bitmap.width, bitmap.height, most)
        with memory_for(bitmap.width * bitmap.height * BYTES_PER_PIXEL["BMP"]):
            return plain_image(bitmap.image())
    Image.MAX_IMAGE_PIXELS = most
    with Image.open(io.BytesIO(without_notes(data)), formats=_readers(data)) as image:
        _check_pixels(image.width, image.height, most)
        size = draft(image)
        with memory_for(memory_needed(image, size)):
            return plain_image(image, size=size)


def _check_pixels(width: int, height: int, most: int) -> None:
    if width * height > most:
        raise Image.DecompressionBombError


def _readers(data: bytes) -> tuple[str, ...]:
    """Pillow's readers that may look at a file; the one for HEIF is loaded when the first such file arrives."""
    if data[4:8] != b"ftyp":
        return tuple(reader for reader in READERS if reader != "HEIF")
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
    return "AVIF", "HEIF"


def _unidentified(data: bytes, file: str) -> ImageError:
    if kind := named_unread(data):
        return ImageError(
            f"{file} is not an image that is read here: its format is {kind}. Save it as PNG or JPEG.",
            f"Its format, {kind}, is not read here.",
        )
    return ImageError(f"{file} is not an image, or it is damaged. {NAMES} files work.", "Not an image, or damaged.")
