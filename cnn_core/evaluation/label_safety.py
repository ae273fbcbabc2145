"""How often an augmentation changes the prediction of a trained network: a hint that the label is no longer true."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from cnn_core.data.augmentation.batch_draws import mixed_seed, to_float
from cnn_core.data.augmentation.steps import Augmentation, Mixing, augmentations

Images = NDArray[np.uint8]
Classify = Callable[[Images], NDArray[np.float32]]  # (N, C, H, W) -> probabilities (N, classes)

STRENGTHS = (0.25, 0.5, 0.75, 1.0)
WORST = 12  # images kept of each try
# Error above which a network is too weak to judge. Measured on 40 networks that err on 0.7% to 90% of the digits or the
# Fashion-MNIST sample: of the images that each classifies correctly, brightness ± 20%, rotation by 5° and flipped
# clothes change up to 5% where it errs on less than 30%, 10% to 11% at 54% and 66%, 13% to 37% above 85%.
WEAK = 0.3


@dataclass(frozen=True)
class LabelSafety:
    """T tries on the same N images; a try is a list of augmentation steps. Fractions and probabilities are 0..1.

    Only images that the network classifies correctly as they are count as changed: what it cannot classify at all says
    nothing of an augmentation.
    """

    predicted: NDArray[np.int64]  # (N,): the class first predicted, of the image as it is
    confidence: NDArray[np.float32]  # (N,): its probability
    correct: NDArray[np.bool_]  # (N,): whether that is the label
    changed: NDArray[np.float64]  # (T,): share of the correct ones whose predicted class is another one after the try
    per_class: NDArray[np.float64]  # (T, classes): the same among the images of a class; NaN where none is correct
    worst: NDArray[np.int64]  # (T, K): positions of images that lost most of that probability, the worst first
    changed_images: Images  # (T, K, C, H, W): what the try made of them
    predicted_after: NDArray[np.int64]  # (T, K): the class predicted then
    confidence_after: NDArray[np.float32]  # (T, K): what is left of the probability of the class first predicted

    @property
    def error(self) -> float:
        """Share of the images that the network classifies wrongly as they are, 0..1."""
        return float((~self.correct).mean())

    @property
    def weak(self) -> bool:
        """Whether the network errs too often on the images as they are for its changes to say much of a label."""
        return self.error > WEAK


def kinds_to_try(channels: int) -> list[type[Augmentation]]:
    """Every kind that has one label before and after, and something to change on images of so many channels."""
    return [kind for kind in augmentations if not issubclass(kind, Mixing) and (channels == 3 or not kind.needs_colour)]


def at_strengths(kinds: Sequence[type[Augmentation]], side: int) -> list[list[Augmentation]]:
    """Tries for `label_safety`: each kind at each of STRENGTHS on images of `side` pixels, kind by kind."""
    return [[kind.at_strength(strength, side)] for kind in kinds for strength in STRENGTHS]


def label_safety(
    images: Images,
    labels: NDArray[np.int64],
    classes: int,
    classify: Classify,
    tries: Sequence[Sequence[Augmentation]],
    seed: int = 0,
    progress: Callable[[float], object] = lambda share: None,
) -> LabelSafety:
    """Try every list of steps on images (N, C, H, W) and compare with the prediction for the image as it is.

    Steps that mix images are left out: they change the labels too. `progress` gets the fraction of tries done.
    """
    before = classify(images)
    predicted, every = before.argmax(axis=1), np.arange(len(images))
    confidence, correct = before[every, predicted], predicted == labels
    columns: list[tuple[object, ...]] = []
    for number, steps in enumerate(tries):
        changed_images = _apply(images, steps, mixed_seed(seed, number))
        after = classify(changed_images)
        other, left = after.argmax(axis=1) != predicted, after[every, predicted]
        worst = np.lexsort((left - confidence, ~(other & correct), ~correct))[:WORST]  # those that become wrong first
        fraction = other[correct].mean() if correct.any() else np.nan
        by_class = _by_class(other[correct], labels[correct], classes)
        columns.append((fraction, by_class, worst, changed_images[worst], after.argmax(axis=1)[worst], left[worst]))
        progress((number + 1) / len(tries))
    return LabelSafety(predicted, confidence, correct, *map(np.stack, zip(*columns, strict=True)))


def _apply(images: Images, steps: Sequence[Augmentation], seed: int) -> Images:
    """The steps on uint8 images, rounded back to uint8: the image that is shown is the one that was judged."""
    batch, generator = torch.from_numpy(images), torch.Generator().manual_seed(seed)
    for step in steps:
        if not isinstance(step, Mixing):
            batch = step.apply(batch, generator)
    return (to_float(batch) * 255).round_().byte().numpy()


def _by_class(chosen: NDArray[np.bool_], labels: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """Share of True in each class, NaN where it has no image."""
    counts = np.bincount(labels, minlength=classes)
    hits = np.bincount(labels, weights=chosen, minlength=classes)
    return np.divide(hits, counts, out=np.full(classes, np.nan), where=counts > 0)
