"""Data sets of photographs that scikit-image and scikit-learn bring along: each class is made of parts of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import skimage
import sklearn.datasets
from PIL import Image

from cnn_core.data.dataset import ImageDataset, RawImages, write

FOLDERS = (Path(skimage.__file__).parent / "data", Path(sklearn.datasets.__file__).parent / "images")
TWO = {"animals": ("chelsea.png",), "drinks": ("coffee.png",)}
TEN = {
    Path(name).stem: (name,)
    for name in (
        "astronaut.png",
        "chelsea.png",
        "china.jpg",
        "coffee.png",
        "flower.jpg",
        "hubble_deep_field.jpg",
        "ihc.png",
        "motorcycle_left.png",
        "retina.jpg",
        "rocket.jpg",
    )
}
LEARNED, OTHERS = (0.0, 0.6), (0.6, 1.0)  # parts of the width of a photograph: no pixel is in two splits
LEAST, MOST = 0.4, 0.9  # side of a part as a fraction of what fits


def photographs(
    folder: Path, classes: Mapping[str, Sequence[str]], counts: Mapping[str, int], side: int, seed: int = 0
) -> ImageDataset:
    """`counts`: images of each class in "train", "validation" and "test"; square, of `side` pixels, in colour."""
    draws = np.random.default_rng(seed)
    images, labels, splits = [], [], {}
    for split, count in counts.items():
        begin = len(labels)
        span = LEARNED if split == "train" else OTHERS
        for label, names in enumerate(classes.values()):
            sources = [_photograph(name) for name in names]
            images += [_part(sources[number % len(sources)], span, side, draws) for number in range(count)]
            labels += [label] * count
        splits[split] = np.arange(begin, len(labels))
    folder.mkdir(parents=True, exist_ok=True)
    raw = RawImages(np.stack(images), np.array(labels), tuple(classes))
    for _ in write(folder, folder.name, (3, side, side), raw, splits):
        pass
    return ImageDataset.open(folder)


def _photograph(name: str) -> Image.Image:
    path = next(folder / name for folder in FOLDERS if (folder / name).is_file())
    with Image.open(path) as image:
        return image.convert("RGB")


def _part(image: Image.Image, span: tuple[float, float], side: int, draws: np.random.Generator) -> np.ndarray:
    """uint8 (3, side, side): a square part, mirrored half of the time."""
    left, right = (round(edge * image.width) for edge in span)
    largest = min(right - left, image.height)
    size = int(draws.uniform(LEAST, MOST) * largest)
    x, y = draws.integers(left, right - size + 1), draws.integers(0, image.height - size + 1)
    pixels = np.asarray(image.resize((side, side), Image.Resampling.BILINEAR, (x, y, x + size, y + size)))
    return np.ascontiguousarray(pixels[:, :: -1 if draws.random() < 0.5 else 1].transpose(2, 0, 1))
