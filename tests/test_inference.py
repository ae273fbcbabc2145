"""A classifier gives many images the probabilities it gives each."""

import numpy as np
import torch

from cnn_core.inference import Classifier
from cnn_core.models.network import build
from cnn_core.recipe import LayerSpec


def test_many_images_are_classified_as_each_is() -> None:
    torch.manual_seed(0)
    layers = [
        LayerSpec(kind="conv", channels=4),
        LayerSpec(kind="batch_norm"),
        LayerSpec(kind="flatten"),
        LayerSpec(kind="linear"),
    ]
    network = build(layers, (3, 8, 8), 5, (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)).eval()
    classifier = Classifier(network, tuple("abcde"), (3, 8, 8))
    images = np.random.default_rng(0).integers(0, 256, (600, 3, 8, 8), np.uint8)
    positions = np.random.default_rng(1).permutation(600)[:300]
    said = classifier.classify_many(images, positions)
    assert said.shape == (300, 5)
    assert np.allclose(said, classifier.classify(images[positions]), atol=1e-6)
    assert np.allclose(said.sum(1), 1, atol=1e-5)
    assert classifier.classify_many(images, positions[:0]).shape == (0, 5)
