"""Real images as files: the bundled clothes as JPEG and PNG, in colours where that is asked for."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from cnn_core.data.sources.included import read_bundled

RAW = read_bundled(Path())


def image_file(number: int, side: tuple[int, int] = (60, 45), colour: bool = True, kind: str = "JPEG") -> bytes:
    """The bundled image `number` as a file, width × height; tinted by its number when in colour."""
    grey = Image.fromarray(RAW.images[number, 0]).resize(side)
    image = grey
    if colour:
        tint = np.random.default_rng(number).uniform(0.3, 1, 3)
        image = Image.fromarray((np.asarray(grey)[..., None] * tint).astype(np.uint8))
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def of_class(label: int, count: int, first: int = 0) -> list[int]:
    """Numbers of bundled images of a class."""
    return np.flatnonzero(RAW.labels == label)[first : first + count].tolist()


def write_zip(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def two_classes(count: int = 12, colour: bool = True) -> dict[str, bytes]:
    """Trousers and boots in class folders."""
    labels = {"trousers": 1, "boots": 9}
    return {
        f"{name}/{number}.jpg": image_file(number, colour=colour)
        for name, label in labels.items()
        for number in of_class(label, count)
    }
