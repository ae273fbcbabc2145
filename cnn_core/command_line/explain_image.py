"""Why a network answers as it does for an image, without a browser."""

from __future__ import annotations

import argparse
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from cnn_core.command_line.files import read_at_most
from cnn_core.command_line.output import print_line
from cnn_core.data.decode import decode
from cnn_core.errors import PlaygroundError
from cnn_core.into_place import move_into_place
from cnn_core.settings import settings

if TYPE_CHECKING:
    from cnn_core.inspection.attribution import Attribution

LEAST_SIDE = 448  # pixels of each image that is written: small ones are enlarged with nearest neighbour
GAP = 16  # pixels between them
ROWS = 4  # of the grid of regions


def explain_image(options: argparse.Namespace) -> None:
    """Print one JSON line, and where a file is named write the image and beside it the attribution over it."""
    from cnn_core.inference import Classifier
    from cnn_core.inspection.attribution import attribute
    from cnn_core.inspection.attribution_check import by_region, occlusion_drop, randomised, rank_correlation

    if options.out:
        _require_png(options.out, options.image)
    classifier = Classifier.open(options.run, options.epoch)
    data = read_at_most(options.image, settings().upload_megabytes, "image")
    image = classifier.see(decode(data, Path(options.image).name))
    tensor, probabilities = classifier.tensor(image[None]), classifier.classify(image[None])[0]
    predicted = int(probabilities.argmax())
    target = predicted if options.target is None else _class(classifier.classes, options.target)
    found = attribute(classifier.network, tensor, target, options.method, options.layer)
    random = attribute(randomised(classifier.network), tensor, target, options.method, found.address)
    correlation = rank_correlation(found, random)
    if options.out:
        _write(options.out, image, found)
    print_line(
        {
            **{"image": options.image, "predicted": classifier.classes[predicted], "class": classifier.classes[target]},
            **{"probability": float(probabilities[target]), "method": found.method, "layer": found.address or None},
            "regions": _rounded(by_region(found, ROWS)),
            "probability_lost_when_hidden": _rounded(occlusion_drop(classifier.network, tensor, target, ROWS)),
            "rank_correlation_with_random_weights": round(correlation, 4),
            "out": options.out,
        }
    )


def _class(classes: tuple[str, ...], name: str) -> int:
    if name in classes:
        return classes.index(name)
    known = ", ".join(classes[:20]) + (" …" if len(classes) > 20 else "")
    raise PlaygroundError(f"This run knows no class {name!r}. Its classes are {known}.")


def _rounded(values: np.ndarray) -> list[list[float]]:
    return [[round(float(value), 4) for value in row] for row in values]


def _require_png(path: str, image: str) -> None:
    if not path.lower().endswith(".png"):
        raise PlaygroundError(f"The image is written as PNG, but --out is {path}. Give it a name that ends in .png.")
    if os.path.exists(path) and os.path.exists(image) and os.path.samefile(path, image):
        raise PlaygroundError(f"--out is the image {image} itself, which would be lost. Give it another name.")


def _write(path: str, image: np.ndarray, found: Attribution) -> None:
    """An earlier file of that name is replaced, once the new one is whole."""
    draft = Path(f"{path}.{os.getpid()}.draft")
    try:
        Image.fromarray(_side_by_side(image, found)).save(draft, "PNG")
        move_into_place(draft, Path(path))
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise PlaygroundError(f"{path} cannot be written: {error.strerror or error}.") from None


def _side_by_side(image: np.ndarray, found: Attribution) -> np.ndarray:
    """uint8 (H, W, 3): what the network saw, and the attribution over it."""
    from cnn_core.inspection.montage import enlarge
    from cnn_core.inspection.overlay import overlay

    seen = np.broadcast_to(image.transpose(1, 2, 0), (*image.shape[1:], 3))
    drawn = overlay(image, found.values, found.signed)
    left, right = (enlarge(each, LEAST_SIDE) for each in (seen, drawn))
    return np.hstack([left, np.full((len(left), GAP, 3), 255, np.uint8), right])
