"""All that it takes to redo the arithmetic of one map or unit by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnn_core.errors import PlaygroundError
from cnn_core.inspection.stage.contributions import dense_weight, of_convolution, padded
from cnn_core.inspection.stage.frame import Look
from cnn_core.inspection.stage.graph import ADD, SOFTMAX, SOFTMAX_LAYER, Node, flattened
from cnn_core.models.network import INPUT
from cnn_core.normalisation import LEAST_STD

MOST = 16  # inputs one by one; the others are summed up
MAP_BYTES = 200_000  # of the input maps of a convolution: of large maps fewer are sent one by one
CLASSES = 12  # of a softmax one by one
ROUNDING = 0.01  # of a pixel, after normalisation in float32 and back


def arithmetic(look: Look, address: str, unit: int) -> dict[str, Any]:
    """How the output of map or unit `unit` of the operation at `address` comes about, for `stage.packing.pack`.

    Every kind has `address`, `unit`, `kind`, `title`, `from`, the address of what it takes, `out`, float32 (H, W) or a
    number, and `following`: the thin operations right after it with their own `out`. What else there is, by kind: see
    the functions below. All numbers are those that torch computed. Raises PlaygroundError where there is no such
    operation or unit.
    """
    nodes = {node.address: node for node in look.nodes}
    if address == INPUT:
        return _input(look, unit)
    if address not in nodes:
        raise PlaygroundError(f"This network has no operation at {address!r}.")
    node = nodes[address]
    if not 0 <= unit < node.shape[0]:
        raise PlaygroundError(f"{node.title} has no unit {unit}: they are counted from 0 to {node.shape[0] - 1}.")
    taken = look.values.get(node.sources[0])
    assert taken is not None
    about = {"address": address, "unit": unit, "kind": node.kind, "title": node.title, "out": _out(look, node, unit)}
    about["from"] = node.sources[0]
    about["last"] = node is look.nodes[-2]  # its units are the classes
    return about | KINDS[node.kind](look, node, unit, taken) | {"following": _following(look, node, unit)}


def _out(look: Look, node: Node, unit: int) -> Any:
    return _array(look.values[node.address][unit])


def _array(values: Tensor) -> Any:
    """float32 array, or a number."""
    return float(values) if values.ndim == 0 else values.to(torch.float32).contiguous().numpy()


def _module(look: Look, node: Node) -> nn.Module:
    return look.network.get_submodule(node.address)


def _convolution(look: Look, node: Node, unit: int, maps: Tensor) -> dict[str, Any]:
    """`inputs` (n,) numbers of the input maps that add most, first, `x` (n, H, W) these maps, `w` (n, k, k) the kernel
    for each, `strength` (n,) with sign; `rest` (H', W') the sum of what the others add; `bias`, `kernel`, `stride`,
    `dilation`, `padding` (zeros; another border is part of the maps, which then are that much larger)."""
    module = _module(look, node)
    assert isinstance(module, nn.Conv2d)
    weight = dense_weight(module)[unit]  # (I, k, k)
    padding = int(module.padding[0])
    if module.padding_mode != "zeros":
        maps, padding = padded(module, maps), 0
    taken = look.values[node.sources[0]]
    strength = of_convolution(module, taken)[unit] if node.sources[0] == INPUT else look.strengths[node.address][unit]
    order = torch.argsort(strength.abs().nan_to_num(), descending=True, stable=True)
    most = max(1, min(MOST, MAP_BYTES // (4 * maps[0].numel())))
    first, others = order[:most], order[most:]
    rest = torch.zeros_like(look.values[node.address][unit])
    if len(others):
        stride, dilation = module.stride[0], module.dilation[0]
        rest = F.conv2d(maps[None, others], weight[None, others], None, stride, padding, dilation)[0, 0]
    return {
        **{"inputs": _indices(first), "x": _array(maps[first]), "w": _array(weight[first])},
        **{"strength": _array(strength[first]), "rest": _array(rest), "others": len(others)},
        **{"bias": _bias(module, unit), "kernel": module.kernel_size[0], "stride": module.stride[0]},
        **{"padding": padding, "dilation": module.dilation[0]},
    }


def _bias(module: nn.Conv2d | nn.Linear, unit: int) -> float:
    return 0.0 if module.bias is None else float(module.bias.detach()[unit])


def _indices(places: Tensor) -> Any:
    return places.to(torch.int32).numpy()


def _pooling(look: Look, node: Node, unit: int, maps: Tensor) -> dict[str, Any]:
    """`x` (H, W), `kernel`, `stride`, `padding`: minus infinity around a maximum, zeros around a mean."""
    module = _module(look, node)
    assert isinstance(module, nn.MaxPool2d | nn.AvgPool2d)
    sizes = {"kernel": module.kernel_size, "stride": module.stride, "padding": module.padding}
    return {"x": _array(maps[unit]), **sizes}


def _adaptive_pooling(look: Look, node: Node, unit: int, maps: Tensor) -> dict[str, Any]:
    """`x` (H, W); `kernel`, `stride` and `padding` where all windows are the same squares."""
    (height, width), size = maps.shape[1:], node.shape[1]
    window = {"kernel": height // size, "stride": height // size, "padding": 0}
    return {"x": _array(maps[unit])} | (window if height == width and height % size == 0 else {})


def _batch_norm(look: Look, node: Node, unit: int, maps: Tensor) -> dict[str, Any]:
    """`x`, and the four numbers: running `mean` and `var`, `weight` and `bias`; with `eps`."""
    module = _module(look, node)
    assert isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)
    numbers = {name: float(getattr(module, name).detach()[unit]) for name in ("weight", "bias")}
    running = {name: float(getattr(module, f"running_{name}")[unit]) for name in ("mean", "var")}
    return {"x": _array(maps[unit]), "eps": module.eps, **numbers, **running}


def _group_norm(look: Look, node: Node, unit: int, maps: Tensor) -> dict[str, Any]:
    """As of a batch norm, `mean` and `var` those of the channel's group in this image."""
    module = _module(look, node)
    assert isinstance(module, nn.GroupNorm | nn.LayerNorm)
    groups = module.num_groups if isinstance(module, nn.GroupNorm) else 1
    size = len(maps) // groups
    group = maps[unit // size * size :][:size]
    numbers = {name: float(getattr(module, name).detach()[unit]) for name in ("weight", "bias")}
    spread = {"mean": float(group.mean()), "var": float(group.var(correction=0))}
    return {"x": _array(maps[unit]), "eps": module.eps, **numbers, **spread}


def _activation(look: Look, node: Node, unit: int, maps: Tensor) -> dict[str, Any]:
    """`x`; of a leaky ReLU `slope`, of an ELU `alpha`. Dropout hands everything on when it is not training."""
    module = _module(look, node)
    numbers = {"slope": getattr(module, "negative_slope", None), "alpha": getattr(module, "alpha", None)}
    return {"x": _array(maps[unit])} | {name: value for name, value in numbers.items() if value is not None}


def _merged(look: Look, node: Node, unit: int, maps: Tensor) -> dict[str, Any]:
    """`skip`, of the last source `skip_from`, and `x`, the sum or the product of the others; a factor may be a
    number."""
    sources = sorted(node.sources, key=lambda source: -look.values[source].ndim)
    values = [look.values[source][unit] for source in sources]
    others = values[:-1] or [torch.full_like(values[-1], float(node.kind != ADD))]
    first = sum(others[1:], others[0]) if node.kind == ADD else math.prod(others[1:], start=others[0])
    return {"x": _array(first), "skip": _array(values[-1]), "skip_from": sources[-1]}


def _concatenated(look: Look, node: Node, unit: int, maps: Tensor) -> dict[str, Any]:
    """`x`, the map it is, `from` where it stands there as number `map`."""
    for source in node.sources:
        values = look.values[source]
        if unit < len(values):
            return {"x": _array(values[unit]), "from": source, "map": unit}
        unit -= len(values)
    raise AssertionError("a concatenation has the maps of its sources")


def _as_it_is(look: Look, node: Node, unit: int, maps: Tensor) -> dict[str, Any]:
    """`x`, where as many maps come in as go out."""
    return {"x": _array(maps[unit])} if len(maps) == node.shape[0] else {}


def _global_pool(look: Look, node: Node, unit: int, maps: Tensor) -> dict[str, Any]:
    """`x` (H, W), `mode`: max or average."""
    return {"x": _array(maps[unit]), "mode": _module(look, node).mode}


def _flatten(look: Look, node: Node, unit: int, maps: Tensor) -> dict[str, Any]:
    """`x` (H, W): the map the number comes from, `map` its number, `row` and `column` the place in it."""
    if maps.ndim == 1:
        return {"x": _array(maps[None]), "map": 0, "row": 0, "column": unit}
    number, row, column = np.unravel_index(unit, tuple(maps.shape))
    return {"x": _array(maps[int(number)]), "map": int(number), "row": int(row), "column": int(column)}


def _linear(look: Look, node: Node, unit: int, row: Tensor) -> dict[str, Any]:
    """`inputs` (n,) numbers of the inputs that add most, first, `x` and `w` (n,), `rest` what the others add, `bias`,
    `scale` of the sum, and after a flatten `maps`: (n,) numbers, `products` (n, H, W) w·x as maps, `sums` (n,);
    `maps_from`, the address of these maps, and `channels`, how many of them there are."""
    module = _module(look, node)
    assert isinstance(module, nn.Linear)
    weight, scale = module.weight.detach().float()[unit], float(getattr(module, "scale", 1.0))
    products = weight * row
    order = torch.argsort(products.abs().nan_to_num(), descending=True, stable=True)
    first, others = order[:MOST], order[MOST:]
    found = {
        **{"inputs": _indices(first), "x": _array(row[first]), "w": _array(weight[first])},
        **{"rest": float(products[others].sum()), "others": len(others), "bias": _bias(module, unit), "scale": scale},
    }
    origin = flattened(node, {other.address: other for other in look.nodes})
    maps = look.values.get(origin) if origin else None
    if maps is not None and maps.ndim == 3:
        as_maps = products.reshape(maps.shape)
        strongest = torch.argsort(as_maps.abs().sum((1, 2)).nan_to_num(), descending=True, stable=True)[:MOST]
        sums = as_maps.sum((1, 2))[strongest]
        found |= {"maps": _indices(strongest), "products": _array(as_maps[strongest]), "sums": _array(sums)}
        found |= {"maps_from": origin, "channels": len(maps)}
    return found


def _softmax(look: Look, node: Node, unit: int, logits: Tensor) -> dict[str, Any]:
    """`inputs` (n,) classes, the most probable first and `unit` among them, `x` (n,) their logits, `largest` logit,
    `rest` the sum of the exponentials of the `others`, each of its logit less the largest."""
    order = torch.argsort(logits.nan_to_num(), descending=True, stable=True)
    first = order[:CLASSES]
    if unit not in first:
        first = torch.cat([first[:-1], torch.tensor([unit])])
    largest = logits.max()
    total, shown = (logits - largest).exp().sum(), (logits[first] - largest).exp().sum()
    others = len(logits) - len(first)
    rest = float(total - shown) if others else 0.0
    found = {"inputs": _indices(first), "x": _array(logits[first]), "largest": float(largest)}
    return found | {"rest": rest, "others": others}


def _input(look: Look, unit: int) -> dict[str, Any]:
    """The image after its normalisation: `out` of each channel is (`x` / 255 - `mean`) / `std`; `x` (H, W) are the
    pixels, uint8 where they are whole."""
    values, stage = look.values[INPUT], look.network.input
    if not 0 <= unit < len(values):
        raise PlaygroundError(f"The image has no channel {unit}; they are counted from 0 to {len(values) - 1}.")
    mean, std = float(stage.mean[unit]), max(float(stage.std[unit]), LEAST_STD)
    about = {"address": INPUT, "unit": unit, "kind": INPUT, "title": "The image", "mean": mean, "std": std}
    return about | {"x": _pixels(values[unit] * std + mean), "out": _array(values[unit]), "following": []}


def _pixels(fractions: Tensor) -> Any:
    """Fractions of 255 with the rounding of float32 -> the pixels (H, W) they were made of."""
    pixels = fractions * 255
    whole = pixels.round()
    as_bytes = bool(((pixels - whole).abs() < ROUNDING).all() & (whole >= 0).all() & (whole <= 255).all())
    return whole.to(torch.uint8).numpy() if as_bytes else _array(pixels)


def _following(look: Look, node: Node, unit: int) -> list[dict[str, Any]]:
    """The thin operations right after it, each with what it makes of the same map."""
    found: list[dict[str, Any]] = []
    address = node.address
    for other in look.nodes[look.nodes.index(node) + 1 :]:
        if not other.thin or other.sources[0] != address or other.group != node.group:
            break
        out = _array(look.values[other.address][unit])
        found.append({"address": other.address, "kind": other.kind, "name": other.name, "out": out})
        address = other.address
    return found


KINDS: Mapping[str, Callable[[Look, Node, int, Tensor], dict[str, Any]]] = {
    "conv": _convolution,
    "max_pool": _pooling,
    "avg_pool": _pooling,
    "batch_norm": _batch_norm,
    "adaptive_avg_pool": _adaptive_pooling,
    **dict.fromkeys(("group_norm", "layer_norm"), _group_norm),
    **dict.fromkeys(("relu", "leaky_relu", "sigmoid", "tanh", "gelu", "silu", "hardswish", "elu"), _activation),
    **dict.fromkeys(("dropout", "dropout2d"), _activation),
    **dict.fromkeys((ADD, "multiply"), _merged),
    "concatenate": _concatenated,
    SOFTMAX_LAYER: _as_it_is,
    "global_pool": _global_pool,
    "flatten": _flatten,
    "linear": _linear,
    SOFTMAX: _softmax,
}
