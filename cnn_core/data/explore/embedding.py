"""A map of images: each a point, and points near one another where the images are similar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnn_core.data.dataset import ImageDataset
from cnn_core.data.explore.chunks import chunks
from cnn_core.data.explore.resample import resampled
from cnn_core.data.splits import stratified_part
from cnn_core.normalisation import normalised

MOST = 10_000  # points that a browser still moves smoothly
SIDE = 32  # pixels: larger images are scaled down before they are compared


@dataclass(frozen=True, eq=False)
class Plane:
    """Points in the plane of the two directions in which the images differ most."""

    points: NDArray[np.float32]  # (n, 2)
    explained: tuple[float, float]  # share of the variance along each direction, 0…1


def spread_over_classes(
    dataset: ImageDataset, splits: tuple[str, ...], most: int = MOST, seed: int = 0
) -> NDArray[np.int64]:
    """Ascending positions of all images of the splits, or of `most` of them with each class keeping its share."""
    positions = np.sort(np.concatenate([dataset.splits[split] for split in splits]))
    if len(positions) <= most:
        return positions
    return positions[stratified_part(dataset.labels[positions], most, seed)]


def pixel_features(dataset: ImageDataset, positions: NDArray[np.int64]) -> NDArray[np.float32]:
    """(n, C·h·w): pixels normalised channel by channel as for a network, of images scaled to at most 32 × 32."""
    side = min(dataset.image_size, SIDE)
    features = np.empty((len(positions), dataset.shape[0] * side * side), np.float32)
    for part, images in chunks(dataset.images, positions):
        values = resampled(images, side) if side < dataset.image_size else images
        features[part] = normalised(values, dataset.mean, dataset.std).reshape(len(images), -1)
    return features


def plane(features: NDArray[np.float32], seed: int = 0) -> Plane:
    """The first two principal components of features (n, F), by scikit-learn's randomised PCA.

    Fewer than two images or features leave the missing coordinates at zero.
    """
    from sklearn.decomposition import PCA  # 0.5 s that no other view needs

    points, explained = np.zeros((len(features), 2), np.float32), [0.0, 0.0]
    count = min(2, *features.shape)
    if count and np.ptp(features, axis=0).any():
        pca = PCA(count, svd_solver="randomized", random_state=seed)
        points[:, :count] = pca.fit_transform(features)
        explained[:count] = pca.explained_variance_ratio_.tolist()
    return Plane(points, (explained[0], explained[1]))
