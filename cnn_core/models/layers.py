"""All layer kinds, and reading a network's layers from a recipe. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence

from cnn_core.errors import UnknownNameError
from cnn_core.models import convolution, dense, elementwise, pooling
from cnn_core.models.layer import Layer, Reach, Shape, describe, layer_kinds
from cnn_core.recipe import LayerSpec
from cnn_core.spec import parse

__all__ = ["KINDS", "Layer", "Reach", "Shape", "describe", "layer_kinds", "read_layers"]

KINDS = (convolution, pooling, elementwise, dense)  # the modules whose import registers the kinds


def read_layers(specs: Sequence[LayerSpec]) -> list[Layer]:
    """The typed layers. Raises UnknownNameError or RecipeError, naming the layer's position counted from 1."""
    return [_read(spec, position) for position, spec in enumerate(specs, start=1)]


def _read(spec: LayerSpec, position: int) -> Layer:
    if spec.kind not in layer_kinds:
        try:
            layer_kinds.get(spec.kind)
        except UnknownNameError as error:
            raise UnknownNameError(f"Layer {position}: {error}") from None
    return parse(layer_kinds.get(spec.kind), spec.parameters, f"Layer {position} ({spec.kind})")
