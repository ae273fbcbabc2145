"""The whole stage for a network that has learned nothing yet."""

from __future__ import annotations

from cnn_core.planning.recipe import check
from cnn_core.recipe import Recipe
from pages.ui.inside import small


def show(recipe: Recipe) -> None:
    """Its fresh weights at work on the first test image of its data set. Raises PlaygroundError."""
    small.fresh(check(recipe))
