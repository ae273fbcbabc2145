"""Augmentations: reading a recipe's steps and applying them to a batch, the same in training and in a preview.

Importing this module registers every kind and does not load torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cnn_core.data.augmentation import boxes, colour, geometry, policy
from cnn_core.data.augmentation.base import Augmentation, Mixing, augmentations
from cnn_core.errors import PlaygroundError, RecipeError
from cnn_core.recipe import AugmentSpec
from cnn_core.spec import parse

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["Augmentation", "Mixing", "augment", "augmentations", "read_steps"]

for _module in (geometry, colour, boxes, policy):
    for _kind in _module.KINDS:
        augmentations.add(_kind.kind, _kind)


def read_steps(specs: Sequence[AugmentSpec]) -> list[Augmentation]:
    """The typed steps. Raises RecipeError naming the step, its field and what would be valid."""
    steps = []
    for number, spec in enumerate(specs, start=1):
        try:
            steps.append(parse(augmentations.get(spec.kind), spec.parameters, f"{spec.kind}"))
        except PlaygroundError as error:
            raise RecipeError(f"Augmentation {number}: {error}") from None
    return steps


def augment(
    images: Tensor, labels: Tensor, classes: int, steps: Sequence[Augmentation], generator: Generator
) -> tuple[Tensor, Tensor]:
    """Apply the steps in order to uint8 or float images (N, C, H, W) with labels int64 (N,).

    Returns uint8 images, or float32 ones in 0..1 where a step makes such, and the labels as they are, or where a step
    mixes images float32 (N, classes): the share of each class, which add up to 1.
    """
    for step in steps:
        if isinstance(step, Mixing):
            images, other, share = step.mix(images, generator)
            labels = _mixed(_fractions(labels, classes), other, share[:, None])
        else:
            images = step.apply(images, generator)
    return images, labels


def _fractions(labels: Tensor, classes: int) -> Tensor:
    """int64 (N,) as float32 (N, classes), 1 for the label; shares as they are."""
    if labels.dim() == 2:
        return labels
    empty = labels.new_zeros(len(labels), classes).float()
    return empty.scatter_(1, labels[:, None], 1.0)


def _mixed(fractions: Tensor, other: Tensor, own: Tensor) -> Tensor:
    return fractions * own + fractions.index_select(0, other) * (1 - own)
