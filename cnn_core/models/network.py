"""From layers to a torch network."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from cnn_core.models.layers import Layer, Shape, read_layers
from cnn_core.models.summary import shapes
from cnn_core.recipe import LayerSpec


class Network(nn.Sequential):
    """A plain sequence: child i is layer i. (N, C, H, W) float -> logits (N, classes).

    `layers`, `input_shape` and `classes` say what each child is; the weights alone are in `state_dict()`.
    """

    def __init__(self, layers: Sequence[Layer], input_shape: Shape, classes: int):
        found = shapes(layers, input_shape, classes)
        super().__init__(*(layer.build(shape, classes) for layer, shape in zip(layers, found, strict=False)))
        self.layers = tuple(layers)
        self.input_shape = tuple(input_shape)
        self.classes = classes


def build(layers: Sequence[LayerSpec], input_shape: Shape, classes: int) -> Network:
    """The network with fresh weights, drawn by torch's default for each layer from torch's global generator:
    `torch.manual_seed` before it makes them repeatable. Raises ShapeError, RecipeError or UnknownNameError.
    """
    return Network(read_layers(layers), input_shape, classes)
