"""Augmentation steps as torchvision's transforms.

They draw from the same ranges, but by torchvision's own rules: interpolation and what stands beyond the border differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cnn_core.data.augmentation.steps import read_steps
from cnn_core.recipe import AugmentSpec

Code = Callable[[Any, int], str]  # step, side of the images in pixels


def _shift(step: Any, side: int) -> str:
    return f"v2.RandomAffine(0, translate=({step.pixels / side:.4g}, {step.pixels / side:.4g})),"


def _jitter(step: Any, side: int) -> str:
    shares = {name: getattr(step, name) for name in ("brightness", "contrast", "saturation", "hue")}
    return f"v2.ColorJitter({', '.join(f'{name}={value!r}' for name, value in shares.items() if value)}),"


def _crop(step: Any, side: int) -> str:
    border = ', padding_mode="reflect"' if step.border == "mirror" else ""
    return f"v2.RandomCrop({side}, padding={step.padding}{border}),"


def _erasing(step: Any, side: int) -> str:
    return f"v2.RandomErasing(p={step.probability!r}, scale=(0.02, {max(0.02, step.area)!r})),"


def _cutout(step: Any, side: int) -> str:
    share = min(1.0, (step.size / side) ** 2)
    return f"v2.RandomErasing(p=1.0, scale=({share:.4g}, {share:.4g}), ratio=(1.0, 1.0)),"


CODE: dict[str, Code] = {
    "horizontal_flip": lambda step, side: f"v2.RandomHorizontalFlip({step.probability!r}),",
    "vertical_flip": lambda step, side: f"v2.RandomVerticalFlip({step.probability!r}),",
    "shift": _shift,
    "rotation": lambda step, side: f"v2.RandomRotation({step.degrees!r}),",
    "scale": lambda step, side: f"v2.RandomAffine(0, scale=({1 - step.amount:.4g}, {1 + step.amount:.4g})),",
    "shear": lambda step, side: f"v2.RandomAffine(0, shear={step.degrees!r}),",
    "perspective": lambda step, side: f"v2.RandomPerspective({step.distortion!r}, p=1.0),",
    "random_crop": _crop,
    "colour_jitter": _jitter,
    "brightness": lambda step, side: f"v2.ColorJitter(brightness={step.amount!r}),",
    "contrast": lambda step, side: f"v2.ColorJitter(contrast={step.amount!r}),",
    "saturation": lambda step, side: f"v2.ColorJitter(saturation={step.amount!r}),",
    "hue": lambda step, side: f"v2.ColorJitter(hue={step.turn!r}),",
    "greyscale": lambda step, side: f"v2.RandomGrayscale({step.probability!r}),",
    "invert": lambda step, side: f"v2.RandomInvert({step.probability!r}),",
    "sharpness": lambda step, side: f"v2.RandomAdjustSharpness({1 + step.amount!r}, p=0.5),",
    "erasing": _erasing,
    "cutout": _cutout,
}


def transforms(steps: Sequence[AugmentSpec], side: int) -> list[str]:
    """A line for each step; one that torchvision has nothing like for a single image is named in a comment."""
    return [
        CODE[step.kind](step, side) if step.kind in CODE else f"# {step.title}: left out, torchvision has no equal"
        for step in read_steps(steps)
    ]
