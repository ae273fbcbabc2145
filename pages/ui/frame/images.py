"""Images of a data set as images: enlarged with nearest-neighbour, in grids of equal tiles."""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from cnn_core.data.decoding.formats import ENDINGS

Pixels = NDArray[np.uint8]
TYPES = list(ENDINGS)  # what a person may upload


def pixels(image: Pixels) -> Pixels:
    """uint8 (C, H, W) as (H, W) for one channel or (H, W, 3)."""
    return image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0))


def image_uri(image: Image.Image, side: int = 320) -> str:
    """A decoded image of any shape as an address, scaled to fit a square of `side` pixels."""
    small = image.copy()
    small.thumbnail((side, side))
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=90, lossless=max(small.size) <= 128)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def strip(images: Pixels, columns: int, gap: int = 2) -> Pixels:
    """uint8 (N, C, H, W) as one RGBA image in rows of `columns` tiles with transparent gaps."""
    count, _, height, width = images.shape
    rows = max(1, -(-count // columns))
    pixels = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap, 4), np.uint8)
    for place, image in enumerate(images):
        y, x = place // columns * (height + gap), place % columns * (width + gap)
        pixels[y : y + height, x : x + width, :3] = image.transpose(1, 2, 0)
        pixels[y : y + height, x : x + width, 3] = 255
    return pixels


def ink(pixels: Pixels, colour: str) -> Pixels:
    """A grey RGBA image as ink of one colour: brightness becomes opacity, so it suits a light and a dark page."""
    drawn = pixels.copy()
    drawn[..., 3] = pixels[..., 0].astype(np.uint16) * pixels[..., 3] // 255
    drawn[..., :3] = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return drawn


def gallery(images: Sequence[Pixels], captions: Sequence[str], side: int = 84) -> None:
    """Images (C, H, W) as equal tiles with a caption each, as many in a row as fit."""
    tiles = "".join(
        f'<figure><img src="{data_uri(pixels(image))}" alt="{escape(text, quote=True)}">'
        f"<figcaption>{escape(text)}</figcaption></figure>"
        for image, text in zip(images, captions, strict=True)
    )
    columns = f"grid-template-columns:repeat(auto-fill,minmax({side}px,1fr))"
    st.html(f'<div class="cnn-gallery" style="{columns}">{tiles}</div>')


def data_uri(pixels: Pixels, fast: bool = False) -> str:
    """An image as a PNG inside an address. `fast`: in a quarter of the time, for what changes at every click."""
    buffer = io.BytesIO()
    how = {"compress_level": 1, "compress_type": zlib.Z_RLE} if fast else {}
    Image.fromarray(pixels).save(buffer, "PNG", **how)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def svg_uri(drawing: str) -> str:
    """An SVG of our own as an address: st.html lets images through, but not drawings."""
    return "data:image/svg+xml;base64," + base64.b64encode(drawing.encode()).decode()
