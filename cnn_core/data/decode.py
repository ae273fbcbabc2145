"""One hardened way from the bytes of a stranger's picture to pixels."""

from __future__ import annotations

import io
import warnings
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from cnn_core.errors import ImageError
from cnn_core.settings import settings

Fit = Literal["crop", "pad", "squash"]  # how a picture becomes square
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF")  # JPEG includes MPO, the two-picture kind phones write
BACKGROUND = (255, 255, 255)  # transparent pictures are laid on white

# A warning on stderr helps nobody: as an error it becomes a sentence below.
warnings.simplefilter("error", Image.DecompressionBombWarning)


def decode(data: bytes, name: str) -> Image.Image:
    """The first frame of a picture, upright, in mode "L" (grey pictures) or "RGB".

    Formats: JPEG, PNG, GIF, BMP, WEBP, TIFF, told by content and not by name. 16-bit grey is scaled to 0–255,
    transparency is laid on white, EXIF rotation is applied. `name` is the file's name, for messages.
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
    most = limits.upload_megapixels * 1_000_000
    try:
        Image.MAX_IMAGE_PIXELS = most
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > most:
                raise Image.DecompressionBombError
            image.load()
            return _to_grey_or_rgb(_upright(image))
    except UnidentifiedImageError:
        raise ImageError(
            f"{file} is not a picture, or it is damaged. JPEG, PNG, GIF, BMP, WEBP and TIFF files work.",
            "It is not a picture, or it is damaged.",
        ) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        raise ImageError(
            f"{file} has too many pixels; at most {limits.upload_megapixels} million are accepted. Make it smaller.",
            "It has too many pixels.",
        ) from None
    except Exception:
        raise ImageError(
            f"{file} is damaged or cut short. Save it again or choose another file.", "It is damaged or cut short."
        ) from None


def fit(image: Image.Image, channels: int, size: int, how: Fit = "crop") -> NDArray[np.uint8]:
    """uint8 (channels, size, size): a picture made square and resized smoothly, grey (1) or RGB (3).

    "crop" keeps the centre square, "pad" adds black bars, "squash" ignores the aspect.
    Pillow's BILINEAR averages over every source pixel when it makes a picture smaller, so fine detail does not
    turn into false patterns. A square picture of the right size and mode comes back unchanged.
    """
    if channels not in (1, 3):
        raise ValueError(f"a picture has 1 or 3 channels, not {channels}")
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


def _upright(image: Image.Image) -> Image.Image:
    """The picture as its EXIF orientation wants it; broken EXIF data is no reason to refuse good pixels."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:
        return image


def _to_grey_or_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        return _deep_to_grey(image)
    mode = "L" if image.mode in ("1", "L", "LA", "La") else "RGB"
    if image.has_transparency_data or image.mode in ("La", "RGBa"):
        upper = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", upper.size, (*BACKGROUND, 255)), upper)
        return image.convert("RGB").convert(mode)  # by way of RGB, which keeps equal channels as they are
    return image.convert(mode)


def _deep_to_grey(image: Image.Image) -> Image.Image:
    """16-bit (I;16…), 32-bit (I) and floating-point (F) grey as "L"; Pillow's own conversion clips at 255.

    16-bit values are divided by 257. Others are taken as 0–1, 0–255 or 0–65535, whichever just holds them, and
    stretched from their least to their greatest value where none does.
    """
    values = np.nan_to_num(np.asarray(image, np.float32))
    low, high = float(values.min()), float(values.max())
    if image.mode.startswith("I;16"):
        low, high = 0.0, 65535.0
    elif low >= 0 and high <= 65535:
        low, high = 0.0, next(top for top in (1.0, 255.0, 65535.0) if high <= top)
    scale = 255 / (high - low or 1.0)
    return Image.fromarray(np.rint(np.clip(values * scale - low * scale, 0, 255)).astype(np.uint8))
