"""Where the output of one map stands alone in a network, so that it can be silenced."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import torch
from torch import nn

from cnn_core.errors import PlaygroundError
from cnn_core.inspection.stage.graph import SOFTMAX, SOFTMAX_LAYER, graph
from cnn_core.models.network import Network

NORMS = ("batch_norm", "group_norm", "layer_norm")
MIXING = ("conv", "linear", SOFTMAX, SOFTMAX_LAYER)  # whose outputs depend on several maps
Weighted = nn.Conv2d | nn.Linear


@dataclass(frozen=True)
class Silenced:
    """A module whose output is set to zero when a map is silenced."""

    address: str
    numbers: int = 1  # channels that each map has there: height × width of a map after a flatten, else 1

    def channels(self, unit: int) -> slice:
        return slice(unit * self.numbers, (unit + 1) * self.numbers)


def weighted(network: Network, address: str) -> Weighted:
    """The convolution or linear layer there. Raises PlaygroundError where there is none."""
    known = [operation.address for operation in network.operations]
    module = network.get_submodule(address) if address in known else None
    if not isinstance(module, Weighted):
        raise PlaygroundError(f"There is no convolution and no linear layer at {address} in this network.")
    return module


def units(network: Network, address: str) -> int:
    """Output maps of a convolution, or outputs of a linear layer. Raises PlaygroundError where there is neither."""
    return len(weighted(network, address).weight)


def silenced(network: Network, address: str) -> list[Silenced]:
    """The convolution or linear layer at `address`, then each norm after it that its maps reach unmixed.

    A batch norm turns a map of zeros into one of shift - scale · mean / √(variance + ε), a constant that can be large.
    So a map is silent when it is zero after these too. Pooling, ReLU, tanh and GELU keep zero; a sigmoid makes 0.5 of
    it. Where branches or a residual block are merged the others go on: only this branch is silent. Raises
    PlaygroundError where there is no such layer.
    """
    weighted(network, address)
    found, numbers = [Silenced(address)], {address: 1}
    nodes = {node.address: node for node in graph(network)}
    for node in nodes.values():
        source = node.sources[0]
        if source not in numbers or len(node.sources) > 1 or node.kind in MIXING:
            continue
        numbers[node.address] = numbers[source]
        if node.kind == "flatten":
            numbers[node.address] *= prod(nodes[source].shape[1:])
        if node.kind in NORMS:
            found.append(Silenced(node.address, numbers[node.address]))
    return found


def silence(network: Network, address: str, unit: int) -> None:
    """Change the weights of `network` itself so that the output of one map is zero for every image."""
    for place in silenced(network, address):
        module, channels = network.get_submodule(place.address), place.channels(unit)
        with torch.no_grad():
            for parameter in module.parameters(recurse=False):
                parameter[channels] = 0
