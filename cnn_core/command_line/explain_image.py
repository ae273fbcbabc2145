"""Why a network answers as it does for an image, without a browser."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from cnn_core.command_line.files import read_at_most
from cnn_core.command_line.output import print_line
from cnn_core.data.decode import decode
from cnn_core.errors import PlaygroundError
from cnn_core.settings import settings

LEAST_SIDE = 448  # pixels of the image that is written: small ones are enlarged with nearest neighbour
ROWS = 4  # of the grid of regions


def explain_image(options: argparse.Namespace) -> None:
    """Print one JSON line, and write the attribution over the image where a file is named."""
    from cnn_core.inference import Classifier
    from cnn_core.inspection.attribution import attribute
    from cnn_core.inspection.attribution_check import by_region, occlusion_drop, randomised, rank_correlation

    classifier = Classifier.open(options.run, options.epoch)
    data = read_at_most(options.image, settings().upload_megabytes, "image")
    image = classifier.see(decode(data, Path(options.image).name))
    tensor, probabilities = classifier.tensor(image[None]), classifier.classify(image[None])[0]
    predicted = int(probabilities.argmax())
    target = predicted if options.target is None else _class(classifier.classes, options.target)
    found = attribute(classifier.network, tensor, target, options.method, options.layer)
    random = attribute(randomised(classifier.network), tensor, target, options.method, options.layer)
    correlation = rank_correlation(found, random)
    if options.out:
        _write(options.out, image, found.values, found.signed)
    print_line(
        {
            **{"image": options.image, "predicted": classifier.classes[predicted], "class": classifier.classes[target]},
            **{"probability": float(probabilities[target]), "method": found.method, "layer": found.address or None},
            "regions": by_region(found, ROWS).round(4).astype(float).tolist(),
            "probability_lost_when_hidden": occlusion_drop(classifier.network, tensor, target, ROWS)
            .round(4)
            .astype(float)
            .tolist(),
            "rank_correlation_with_random_weights": None if np.isnan(correlation) else correlation,
            "out": options.out,
        }
    )


def _class(classes: tuple[str, ...], name: str) -> int:
    if name in classes:
        return classes.index(name)
    raise PlaygroundError(f"This run knows no class {name!r}. Its classes are {', '.join(classes[:20])}.")


def _write(path: str, image: np.ndarray, values: np.ndarray, signed: bool) -> None:
    from cnn_core.inspection.montage import enlarge
    from cnn_core.inspection.overlay import overlay

    if not path.lower().endswith(".png"):
        raise PlaygroundError(f"The image is written as PNG, but --out is {path}. Give it a name that ends in .png.")
    drawn = enlarge(overlay(image, values, signed), LEAST_SIDE)
    try:
        Image.fromarray(drawn).save(path, "PNG")
    except OSError as error:
        raise PlaygroundError(f"{path} cannot be written: {error.strerror or error}.") from None
