"""Novelty against scikit-learn's neighbours, and its rate of false alarms by counting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from cnn_core.evaluation.novelty import NEIGHBOURS, Novelty

RNG = np.random.default_rng(0)


def layers(count: int, *widths: int, shift: float = 0.0) -> list[np.ndarray]:
    """Layers whose features differ in scale by a factor of a thousand."""
    return [(RNG.normal(shift, 1, (count, width)) * np.logspace(0, 3, width)).astype(np.float32) for width in widths]


@pytest.mark.parametrize("count", [1, 2, 4, 5, 6, 300])
def test_distances_are_those_of_scikit_learn(count: int) -> None:
    training, validation, new = layers(count, 4, 9), layers(20, 4, 9), layers(30, 4, 9, shift=0.5)
    scalers = [StandardScaler().fit(layer) for layer in training]

    def scaled(images: list[np.ndarray]) -> np.ndarray:
        return np.hstack(
            [scaler.transform(layer) / np.sqrt(layer.shape[1]) for scaler, layer in zip(scalers, images, strict=True)]
        )

    neighbours = NearestNeighbors(n_neighbors=min(NEIGHBOURS, count)).fit(scaled(training))
    expected = neighbours.kneighbors(scaled(new))[0][:, -1]
    found = Novelty.fit(training, validation)
    np.testing.assert_allclose(found.distances(new), expected, rtol=1e-3)
    expected = np.sort(neighbours.kneighbors(scaled(validation))[0][:, -1])
    np.testing.assert_allclose(found.held_out, expected, rtol=1e-3)


def test_each_layer_counts_the_same_and_constant_features_do_not() -> None:
    """A step of one deviation in all of a layer's features is as far in a layer of 2 as in one of 50."""
    training = layers(400, 2, 50)
    training[1] = np.hstack([training[1], np.full((400, 30), 7, np.float32)])
    novelty = Novelty.fit(training, training)
    assert novelty.reference.shape == (400, 52)
    middle = [layer.mean(0, keepdims=True) for layer in training]
    deviations = [layer.std(0, keepdims=True) for layer in training]
    moved = [[middle[0] + 30 * deviations[0], middle[1]], [middle[0], middle[1] + 30 * deviations[1]]]
    first, second = (novelty.distances(images)[0] for images in moved)
    assert first == pytest.approx(second, rel=0.1)
    assert first == pytest.approx(30, rel=0.1)


@given(st.integers(1, 400))
def test_the_rate_of_false_alarms_is_exact(held_out: int) -> None:
    """Each of V + 1 exchangeable images is as likely as the others to be the new one: count those that are marked."""
    places = np.arange(held_out + 1)  # how many of the others are nearer than the image at each place
    novelty = Novelty(*(np.zeros((0, 0)),) * 4, np.arange(held_out, dtype=np.float64))
    assert (places >= novelty.needed).mean() == pytest.approx(novelty.false_alarms)
    assert novelty.false_alarms <= max(0.05, 1 / (held_out + 1)) + 1e-12
    assert novelty.needed <= held_out


@pytest.mark.parametrize(("held_out", "needed"), [(1, 1), (18, 18), (19, 19), (20, 20), (39, 38), (1000, 951)])
def test_with_few_validation_images_all_have_to_be_nearer(held_out: int, needed: int) -> None:
    assert Novelty(*(np.zeros((0, 0)),) * 4, np.zeros(held_out)).needed == needed


def test_an_image_as_far_as_the_farthest_validation_image_is_not_unlike() -> None:
    training, validation = layers(50, 3), layers(10, 3)
    novelty = Novelty.fit(training, validation)
    assert novelty.nearer(validation).max() == 9 < novelty.needed
    assert novelty.nearer([layer * 100 for layer in validation]).tolist() == [10] * 10


def test_no_images_are_refused() -> None:
    for training, validation in ((0, 5), (5, 0)):
        with pytest.raises(ValueError, match="at least one"):
            Novelty.fit(layers(training, 3), layers(validation, 3))
