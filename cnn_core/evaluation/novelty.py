"""Whether an image is unlike the training images, with a known rate of false alarms. Needs no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Layers = Sequence[NDArray[np.float32]]  # of each layer (N, F): what it makes of N images

MOST = 1000  # training images, and as many validation images: with 2,000 no rate was more than a few points better
NEIGHBOURS = 5
LEVEL = 0.95  # share of the validation images that must be nearer for an image to count as unlike the training images
CONSTANT = 1e-4  # standard deviation below which a feature is that of a unit that never responds


@dataclass(frozen=True, eq=False)
class Novelty:
    """Distances from the training images, measured in every layer: deep nearest neighbours (Sun, Ming, Zhu and Li 2022,
    "Out-of-distribution detection with deep nearest neighbors").

    Each feature is divided by its standard deviation over the training images. The distance between two images is the
    root of the squared difference of their features, meaned over the features of each layer and added over the layers;
    the distance of an image is the one to its fifth nearest training image.

    Chosen by the area under the ROC curve between test images and others; the least of four networks (simple_cnn and
    compact_resnet, on the digits and on the Fashion-MNIST sample):

        flat grey  noise  inverted  other data set
        1.00       1.00   1.00      0.95            this
        0.99       1.00   1.00      0.92            the same features, Mahalanobis distance from the mean
        0.72       1.00   1.00      0.85            pixels, fifth neighbour
        0.96       0.88   0.97      0.89            input of the last layer scaled to length 1, fifth neighbour
        0.89       0.92   0.96      0.88            input of the last layer, Mahalanobis distance from the class means
        0.88       0.87   0.90      0.89            energy of the logits (Liu, Wang, Owens and Li 2020)
        0.83       0.90   0.81      0.86            greatest probability

    At LEVEL it marks every flat grey, noise and inverted image, and of the other data set 79%, 96%, 100% and 100%; by
    mistake 6% of 1,000 test images of clothes, and 5% and 6% of 270 digits.
    """

    reference: NDArray[np.float32]  # (R, F'): features of the training images, without the constant ones
    mean: NDArray[np.float32]  # (F',)
    scale: NDArray[np.float32]  # (F',): standard deviation · √(features of the layer)
    kept: NDArray[np.bool_]  # (F,): which features of all layers are not constant
    held_out: NDArray[np.float64]  # (V,), ascending: distances of the validation images

    @classmethod
    def fit(cls, training: Layers, validation: Layers) -> Novelty:
        """From R training images and V images that the network did not learn from.

        Raises ValueError when either has no image.
        """
        values = np.concatenate(training, axis=1)
        if not len(values) or not len(validation[0]):
            raise ValueError("novelty needs at least one training and one validation image")
        mean, std = values.mean(axis=0, dtype=np.float64), values.std(axis=0, dtype=np.float64)
        kept = std > CONSTANT
        if not kept.any():  # a single image, or copies of it: all features count as they are
            kept, std = np.ones_like(kept), np.ones_like(std)
        scale = (std * np.sqrt(_layer_sizes(training, kept)))[kept].astype(np.float32)
        mean = mean[kept].astype(np.float32)
        unranked = cls((values[:, kept] - mean) / scale, mean, scale, kept, np.zeros(0))
        held_out = np.sort(unranked.distances(validation))
        return cls(unranked.reference, mean, scale, kept, held_out)

    def distances(self, images: Layers) -> NDArray[np.float64]:
        """(n,): the distance of each image to its fifth nearest training image, or to the farthest of fewer."""
        from scipy.spatial.distance import cdist  # 0.2 s that importing this module need not take

        every = cdist((np.concatenate(images, axis=1)[:, self.kept] - self.mean) / self.scale, self.reference)
        place = min(NEIGHBOURS, len(self.reference)) - 1
        return np.partition(every, place, axis=1)[:, place]

    def nearer(self, images: Layers) -> NDArray[np.int64]:
        """(n,): how many of the V validation images are nearer to the training images than each image."""
        return np.searchsorted(self.held_out, self.distances(images), side="left")

    @property
    def needed(self) -> int:
        """How many validation images have to be nearer for an image to count as unlike the training images: 95% of
        them, or where they are fewer than twenty all."""
        count = len(self.held_out)
        return min(count, math.ceil(LEVEL * (count + 1)))

    @property
    def false_alarms(self) -> float:
        """Probability that an image drawn like the validation images counts as unlike the training images: the rate of
        a conformal test (Vovk, Gammerman and Shafer 2005), 5%, or one in V + 1 where V is less than twenty."""
        return (len(self.held_out) + 1 - self.needed) / (len(self.held_out) + 1)


def _layer_sizes(layers: Layers, kept: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(F,): for each feature how many features of its layer are kept, at least 1."""
    sizes, start = [], 0
    for layer in layers:
        width = layer.shape[1]
        sizes.append(np.full(width, max(1, kept[start : start + width].sum()), np.float64))
        start += width
    return np.concatenate(sizes)
