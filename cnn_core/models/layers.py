"""All layer kinds, and reading a network's layers from a recipe. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence

from cnn_core.errors import RecipeError
from cnn_core.models import activations, composite, convolution, dense, dropout, norms, pooling, separable
from cnn_core.models.layer import Layer, Reach, Shape, describe, layer_kinds
from cnn_core.models.layer import read_layers as _read
from cnn_core.recipe import LayerSpec

__all__ = ["KINDS", "Layer", "Reach", "Shape", "describe", "layer_kinds", "read_layers"]

# The modules whose import registers the kinds, in the order they are offered
KINDS = (convolution, separable, pooling, activations, norms, dropout, dense, composite)
DEEPEST = 5  # lists of layers inside each other
MOST_OPERATIONS = 1000


def read_layers(specs: Sequence[LayerSpec]) -> list[Layer]:
    """The typed layers. Raises UnknownNameError or RecipeError, naming the layer's position counted from 1."""
    layers = _read(specs)
    for position, layer in enumerate(layers, start=1):
        if layer.depth > DEEPEST:
            raise RecipeError(f"Layer {position} has groups inside each other {layer.depth} deep; at most {DEEPEST}.")
    count = sum(layer.most_operations for layer in layers)
    if count > MOST_OPERATIONS:
        raise RecipeError(f"The network has {count:,} operations; at most {MOST_OPERATIONS:,} are allowed.")
    return layers
