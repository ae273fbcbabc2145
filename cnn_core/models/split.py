"""Where the feature extractor ends and the classifier begins. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence

from cnn_core.recipe import LayerSpec

TO_A_ROW = ("flatten", "global_pool", "adaptive_avg_pool")


def classifier_start(layers: Sequence[LayerSpec]) -> int:
    """Position of the first layer that makes a row of the maps; the number of layers where there is none."""
    return next((place for place, spec in enumerate(layers) if spec.kind in TO_A_ROW), len(layers))
