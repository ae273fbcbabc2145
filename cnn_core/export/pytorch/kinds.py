"""The code of each kind of layer: a call of torch's own module with what differs from its defaults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cnn_core.models.layer import Layer, Shape

Call = Callable[[Any, Shape, int], list[str]]  # layer, incoming shape, classes -> one call a module


def call(name: str, *values: Any, **more: tuple[Any, Any]) -> str:
    """`name(values…, option=value)`; of `more`, each (value, torch's default), those that differ."""
    options = [f"{option}={value!r}" for option, (value, default) in more.items() if value != default]
    return f"{name}({', '.join([*map(repr, values), *options])})".replace("'", '"')


def _conv(layer: Any, shape: Shape, classes: int) -> list[str]:
    options = {
        **{"stride": (layer.stride, 1), "padding": (layer.padding, 0), "dilation": (layer.dilation, 1)},
        **{"groups": (layer.groups, 1), "bias": (layer.bias, True), "padding_mode": (layer.padding_mode, "zeros")},
    }
    return [call("nn.Conv2d", shape[0], layer.channels, layer.kernel, **options)]


def _depthwise(layer: Any, shape: Shape, classes: int) -> list[str]:
    options = {"stride": (layer.stride, 1), "padding": (layer.padding, 0), "groups": (shape[0], 0)}
    return [call("nn.Conv2d", shape[0], shape[0], layer.kernel, **options, bias=(layer.bias, True))]


def _pointwise(layer: Any, shape: Shape, classes: int) -> list[str]:
    return [call("nn.Conv2d", shape[0], layer.channels, 1, bias=(layer.bias, True))]


def _pool(name: str) -> Call:
    def code(layer: Any, shape: Shape, classes: int) -> list[str]:
        options = {"stride": (layer.step, layer.kernel), "padding": (layer.padding, 0)}
        return [call(name, layer.kernel, **options)]

    return code


def _global_pool(layer: Any, shape: Shape, classes: int) -> list[str]:
    name = "nn.AdaptiveMaxPool2d" if layer.mode == "max" else "nn.AdaptiveAvgPool2d"
    return [call(name, 1), "nn.Flatten()"]


def _linear(layer: Any, shape: Shape, classes: int) -> list[str]:
    sizes = shape[0], layer.features or classes
    if layer.scale != 1:
        return [call("ScaledLinear", *sizes, layer.bias, layer.scale)]
    return [call("nn.Linear", *sizes, bias=(layer.bias, True))]


def _batch_norm(layer: Any, shape: Shape, classes: int) -> list[str]:
    return [call("nn.BatchNorm2d" if len(shape) == 3 else "nn.BatchNorm1d", shape[0])]


def _layer_norm(layer: Any, shape: Shape, classes: int) -> list[str]:
    return [call("nn.GroupNorm", 1, shape[0]) if len(shape) == 3 else call("nn.LayerNorm", shape[0])]


def _residual(layer: Any, shape: Shape, classes: int) -> list[str]:
    return [call("ResidualBlock", shape[0], layer.channels or shape[0], stride=(layer.stride, 1))]


CODE: dict[str, Call] = {
    "conv": _conv,
    "depthwise": _depthwise,
    "pointwise": _pointwise,
    "residual": _residual,
    "max_pool": _pool("nn.MaxPool2d"),
    "avg_pool": _pool("nn.AvgPool2d"),
    "adaptive_avg_pool": lambda layer, shape, classes: [call("nn.AdaptiveAvgPool2d", layer.size)],
    "global_pool": _global_pool,
    "relu": lambda layer, shape, classes: ["nn.ReLU()"],
    "leaky_relu": lambda layer, shape, classes: [call("nn.LeakyReLU", layer.slope)],
    "sigmoid": lambda layer, shape, classes: ["nn.Sigmoid()"],
    "tanh": lambda layer, shape, classes: ["nn.Tanh()"],
    "gelu": lambda layer, shape, classes: ["nn.GELU()"],
    "silu": lambda layer, shape, classes: ["nn.SiLU()"],
    "hardswish": lambda layer, shape, classes: ["nn.Hardswish()"],
    "elu": lambda layer, shape, classes: [call("nn.ELU", alpha=(layer.alpha, 1.0))],
    "softmax": lambda layer, shape, classes: ["nn.Softmax(dim=1)"],
    "batch_norm": _batch_norm,
    "group_norm": lambda layer, shape, classes: [call("nn.GroupNorm", layer.groups, shape[0])],
    "layer_norm": _layer_norm,
    "dropout": lambda layer, shape, classes: [call("nn.Dropout", layer.probability)],
    "dropout2d": lambda layer, shape, classes: [call("nn.Dropout2d", layer.probability)],
    "flatten": lambda layer, shape, classes: ["nn.Flatten()"],
    "linear": _linear,
}
# Kinds that are made of others, which network_code writes itself
COMPOSED = ("depthwise_separable", "repeat", "branches")


def calls(layer: Layer, shape: Shape, classes: int) -> list[str]:
    """The modules that a layer is, one after the other."""
    return CODE[layer.kind](layer, shape, classes)
