"""One frame of the stage: a network at one moment, at work on one image."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnn_core.errors import PlaygroundError
from cnn_core.inspection.stage.choice import Choice, choose
from cnn_core.inspection.stage.contributions import by_map, of_convolution, of_linear
from cnn_core.inspection.stage.flow import flow
from cnn_core.inspection.stage.graph import SOFTMAX, Node, flattened, graph
from cnn_core.models.network import INPUT, Network

TILE = 48  # pixels: larger maps are averaged down for their tile
TILE_BYTES = 80_000  # of all tiles of a frame, before those inside residual blocks are left out
EVERY_BYTES = 80_000  # of the tiles of all maps of one operation
SIGNED_MAX = 127
SOURCES = {"conv", "linear"}


@dataclass(frozen=True)
class Look:
    """A network and what it computes for one image."""

    network: Network
    nodes: list[Node]
    values: dict[str, Tensor]  # address -> float32 output, and of "input"
    strengths: dict[str, Tensor]  # address of a convolution or linear layer -> (O, I) by channel of what it takes

    def __getitem__(self, address: str) -> Node:
        return next(node for node in self.nodes if node.address == address)


def look(network: Network, image: Tensor) -> Look:
    """`image`: (1, C, H, W) as the network takes it, on its device. The network is only read."""
    nodes = graph(network)
    values = flow(network, image, nodes)
    by_address = {node.address: node for node in nodes}
    strengths = {
        node.address: _strengths(network.get_submodule(node.address), node, by_address, values)
        for node in nodes
        if node.kind in SOURCES
    }
    return Look(network, nodes, values, strengths)


def _strengths(module: nn.Module, node: Node, nodes: Mapping[str, Node], values: Mapping[str, Tensor]) -> Tensor:
    taken = values[node.sources[0]]
    if isinstance(module, nn.Conv2d):
        return of_convolution(module, taken, together=node.sources[0] == INPUT)
    assert isinstance(module, nn.Linear)
    contributions, maps = of_linear(module, taken), flattened(node, nodes)
    if maps is None:
        return contributions
    return by_map(contributions, 1 if maps == INPUT else len(values[maps]))


def choice_of(look: Look, label: int | None = None) -> Choice:
    """The maps and units to show: chosen once for a run and an image, so that nothing jumps from epoch to epoch."""
    return choose(look.nodes, look.strengths, look.values[look.nodes[-1].sources[0]], label)


def frame(look: Look, choice: Choice, opened: Collection[str] = ()) -> dict[str, Any]:
    """What a browser draws, for `packing.pack`: nodes with tiles, numbers and links, probabilities of all classes.

    Where all tiles together are heavy, those inside residual blocks are left out but for the blocks in `opened`.
    """
    by_address = {node.address: node for node in look.nodes}
    nodes = [_node(look, node, by_address, choice) for node in look.nodes]
    if sum(about["maps"].nbytes for about in nodes if "maps" in about) > TILE_BYTES:
        for about, following in pairwise(nodes):
            inside = about["block"] is not None and about["block"] == following["block"]
            if inside and about["block"] not in opened:
                about.pop("maps", None)
    return {"nodes": nodes, "probabilities": look.values[SOFTMAX].numpy()}


def _node(look: Look, node: Node, nodes: Mapping[str, Node], choice: Choice) -> dict[str, Any]:
    shown, values = choice[node.address], look.values[node.address]
    about: dict[str, Any] = {
        **{"address": node.address, "kind": node.kind, "name": node.name, "title": node.title, "skip": node.skip},
        **{"shape": list(node.shape), "parameters": node.parameters, "thin": node.thin},
        **{"block": node.block, "lane": node.lane},
        "shown": np.array(shown, np.uint32),
        "links": [_link(look, node, place, nodes, choice) for place in range(len(node.sources))],
    }
    if values.ndim == 3:
        about |= _tiles(values, shown)
    else:
        about |= {"values": values[shown].numpy(), "low": float(values.min()), "high": float(values.max())}
    if node.kind == "linear" and flattened(node, nodes) == INPUT:
        about["templates"] = _templates(look.network.get_submodule(node.address), look.values[INPUT], shown)
    return about


def _tiles(maps: Tensor, shown: Sequence[int], most: int = TILE) -> dict[str, Any]:
    """uint8 tiles, each between its own lowest and highest value; `range`: from the lowest or zero to the 99.5th
    percentile of all maps of the operation, for one scale; `dead`: maps that are zero everywhere."""
    chosen = maps[shown]
    side = max(chosen.shape[1:])
    if side > most:
        factor = -(-side // most)
        chosen = F.avg_pool2d(chosen[None], factor, ceil_mode=True, count_include_pad=False)[0]
    low, high = chosen.amin((1, 2)), chosen.amax((1, 2))
    span = (high - low).clamp_min(torch.finfo(torch.float32).tiny)[:, None, None]
    quantised = ((chosen - low[:, None, None]) / span * 255).nan_to_num().round().to(torch.uint8)
    lowest, top = maps.min(), _percentile(maps, 0.995)
    bottom = -_percentile(-maps, 0.995) if lowest < 0 else lowest.clamp_max(0)
    return {
        **{"maps": quantised.numpy(), "low": low.numpy(), "high": high.numpy()},
        **{"range": [float(bottom), float(top)], "signed": bool(lowest < 0)},
        "dead": (maps[shown].abs().amax((1, 2)) == 0).to(torch.uint8).numpy(),
    }


def _percentile(values: Tensor, fraction: float) -> Tensor:
    flat = values.flatten()
    return flat.kthvalue(max(1, round(fraction * len(flat)))).values


def _templates(module: nn.Module, image: Tensor, shown: Sequence[int]) -> dict[str, Any]:
    """Weights of units as images (n, H, W), the mean over the channels, around 128: 0 is -`scale`, 255 is `scale`."""
    assert isinstance(module, nn.Linear)
    weights = module.weight.detach().float()[shown].reshape(len(shown), *image.shape).mean(1)
    if (side := max(weights.shape[1:])) > TILE:
        weights = F.avg_pool2d(weights[None], -(-side // TILE), ceil_mode=True, count_include_pad=False)[0]
    scale = weights.abs().max().clamp_min(torch.finfo(torch.float32).tiny)
    images = (weights / scale * SIGNED_MAX + 128).nan_to_num().round().to(torch.uint8)
    return {"images": images.numpy(), "scale": float(scale)}


def _link(look: Look, node: Node, place: int, nodes: Mapping[str, Node], choice: Choice) -> dict[str, Any]:
    """Where it takes its input number `place` from. With weights, what each shown input adds to each shown output as
    int8 (outputs, inputs), 127 being `scale`; from the maps themselves where a flatten lies between. Else output i
    comes from input i, of what is concatenated from input i - `first`, and of a flatten from no single one."""
    source = node.sources[place]
    if node.kind == "concatenate":
        return {"from": source, "first": sum(len(look.values[one]) for one in node.sources[:place])}
    if node.kind not in SOURCES:
        return {"from": source}
    origin = flattened(node, nodes) or source
    strengths = look.strengths[node.address][choice[node.address]]
    if origin != INPUT:
        strengths = strengths[:, choice[origin]]
    scale = strengths.abs().max().clamp_min(torch.finfo(torch.float32).tiny)
    edges = (strengths / scale * SIGNED_MAX).nan_to_num().round().to(torch.int8)
    return {"from": origin, "edges": edges.numpy(), "scale": float(scale)}


def every_map(look: Look, address: str) -> dict[str, Any]:
    """All maps of an operation as small tiles, or all numbers of a row, for `packing.pack`. Raises PlaygroundError
    where there is no such operation."""
    if address not in look.values:
        raise PlaygroundError(f"This network has no operation at {address!r}.")
    values = look.values[address]
    if values.ndim == 1:
        return {"values": values.numpy(), "low": float(values.min()), "high": float(values.max())}
    side = max(4, min(TILE, math.isqrt(EVERY_BYTES // len(values))))
    return _tiles(values, range(len(values)), side)
