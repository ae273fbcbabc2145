"""All layer kinds, and reading a network's layers from a recipe. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence

from cnn_core.errors import RecipeError, UnknownNameError
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
        if (depth := _depth(layer, position)) > DEEPEST:
            raise RecipeError(f"Layer {position} has groups inside each other {depth} deep; at most {DEEPEST}.")
    count = sum(layer.most_operations for layer in layers)
    if count > MOST_OPERATIONS:
        raise RecipeError(f"The network has {count:,} operations; at most {MOST_OPERATIONS:,} are allowed.")
    return layers


def _depth(layer: Layer, position: int) -> int:
    """Reads the layers inside it too. Raises UnknownNameError or RecipeError, naming the position of both."""
    try:
        return layer.depth
    except (UnknownNameError, RecipeError) as problem:
        raise type(problem)(f"Layer {position} ({layer.kind}), in a list inside it: {problem}") from None
