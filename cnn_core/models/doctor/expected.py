"""A linear layer that was written for another number of inputs, as a tutorial's head is for one image size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import isqrt

from cnn_core.errors import PlaygroundError
from cnn_core.models.doctor.problem import Case, Problem, spec_of
from cnn_core.models.doctor.reading import Node
from cnn_core.models.doctor.repair import Insert, Repair
from cnn_core.models.layer import Layer, Shape, advance, describe
from cnn_core.models.tree import Layers

LARGEST_IMAGE = 256  # side in pixels that a recipe may ask for
LARGEST_POOLED = 64  # side that adaptive pooling may give


def explained(
    problem: Problem, case: Case, row: Node, maps: Shape, front: Sequence[Layer], images: Shape, layers: Layers
) -> Problem:
    """The problem of a `linear` that takes another number of inputs than come, said in maps and in images.

    `row` flattens `maps`; `front` are the layers before it where all of them work, else none.
    """
    expected, channels = case.option("inputs"), maps[0]
    side = isqrt(expected // channels)
    if side == 0 or channels * side * side != expected:
        return problem
    size = _image_size(front, images, side, case.classes)
    of_images = f", as {size}×{size} images give them" if size else ""
    sentence = (
        f"{case.shape[0]:,} numbers come in, {describe(maps)}, but it expects {expected:,}, which are "
        f"{describe((channels, side, side))}{of_images}."
    )
    others: tuple[Repair, ...] = ()
    if side <= LARGEST_POOLED:
        title = f"Insert an adaptive average pooling to {side}×{side} before the flatten"
        others = (Repair(title, (Insert(row.path, (spec_of("adaptive_avg_pool", size=side),)),), layers),)
    return replace(problem, sentence=sentence, others=others, image_size=size)


def _image_size(front: Sequence[Layer], images: Shape, side: int, classes: int) -> int:
    """The least side of square images that `front` makes maps of `side` of; 0 where there is none."""
    if not front or images[1] != images[2]:
        return 0
    low, high = 1, LARGEST_IMAGE
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _side(front, (images[0], middle, middle), classes) >= side else (middle + 1, high)
    return low if _side(front, (images[0], low, low), classes) == side else 0


def _side(front: Sequence[Layer], shape: Shape, classes: int) -> int:
    """Of the maps they make; 0 where such images are too small."""
    try:
        for layer in front:
            shape = advance(layer, shape, classes)
    except PlaygroundError:
        return 0
    return shape[-1]
