"""Transfer with frozen layers against scikit-learn's logistic regression on the same features."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from cnn_core.models.prefix import divide
from cnn_core.models.weights import load_weights
from cnn_core.recipe import Recipe
from cnn_core.runs.folder import RunFolder
from cnn_core.training.feature_feed import FeatureFeed
from cnn_core.training.session import TrainingSession
from tests.photographs import TEN, photographs

C = 100.0
COUNTS = {"train": 20, "validation": 20, "test": 200}  # of each class
LAYERS = [
    {"kind": "conv", "channels": 24, "kernel": 5, "stride": 2},
    {"kind": "relu"},
    {"kind": "conv", "channels": 48, "stride": 2},
    {"kind": "relu"},
    {"kind": "global_pool"},
    {"kind": "linear"},
]


@pytest.mark.parametrize("classes", [("chelsea", "coffee"), ("china", "retina")])
def test_a_head_on_frozen_convolutions_reaches_logistic_regression(
    home: Path, tmp_path: Path, classes: tuple[str, str]
) -> None:
    """The same pull on the weights: C times the sum of losses + |w|²/2 there, mean loss + decay · (|w/2|² + |-w/2|²)/2
    here, which is the same where decay is 2 / (C · images)."""
    images = photographs(tmp_path / "photographs", {name: TEN[name] for name in classes}, COUNTS, 48)
    training = {"epochs": 80, "batch_size": 8, "learning_rate": 0.5, "schedule": "cosine", "weight_decay": 2 / (C * 40)}
    recipe = Recipe.model_validate(
        {
            "network": {"preset": "", "layers": LAYERS, "rates": [{"address": n, "factor": 0} for n in ("0", "2")]},
            "training": training
            | {"threads": 1, "layout": "channels_last", "pool_first": "on", "precision": "float32"},
        }
    )
    session = TrainingSession(recipe, images, RunFolder("aaaa0001"), "cpu")
    assert isinstance(session.feed, FeatureFeed)
    list(session.run())
    load_weights(session.network, session.folder.weights(80))
    first, last = divide(session.network.eval(), 5)
    with torch.no_grad():
        features = first(torch.from_numpy(np.asarray(images.images)))
        predicted = last(features).argmax(1).numpy()
    train, test = images.splits["train"], images.splits["test"]
    oracle = LogisticRegression(C=C, max_iter=10_000, tol=1e-9).fit(features[train], images.labels[train])
    reached = oracle.score(features[test], images.labels[test])
    assert reached > 0.7
    assert (predicted[test] == images.labels[test]).mean() == pytest.approx(reached, abs=0.01)
