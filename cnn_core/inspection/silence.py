"""Where the output of one map stands alone in a network, so that it can be silenced."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import torch
from torch import nn

from cnn_core.errors import PlaygroundError
from cnn_core.models.network import Network
from cnn_core.models.summary import shapes

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
MIXING = ("conv", "linear", "residual")  # kinds of layers whose outputs depend on several maps
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
    """The convolution or linear layer at `address`, then each batch norm behind it that its maps reach unmixed.

    A batch norm turns a map of zeros into one of shift - scale · mean / √(variance + ε), a constant that can be large.
    So a map is silent when it is zero behind these too. Pooling, ReLU, tanh and GELU
    keep zero; a sigmoid makes 0.5 of it. In a residual block the other branch goes on: only the body or only the
    skip is silent. Raises PlaygroundError where there is no such layer.
    """
    weighted(network, address)
    position = int(address.partition(".")[0])
    if "." in address:
        return [Silenced(address), *_next_norm(network, address)]
    found, numbers = [Silenced(address)], 1
    inputs = shapes(network.layers, network.input_shape, network.classes)
    for place, (layer, shape) in enumerate(zip(network.layers, inputs, strict=False)):
        if place <= position:
            continue
        if layer.kind in MIXING:
            break
        if layer.kind == "flatten":
            numbers *= prod(shape[1:])
        if isinstance(network[place], NORMS):
            found.append(Silenced(str(place), numbers))
    return found


def silence(network: Network, address: str, unit: int) -> None:
    """Change the weights of `network` itself so that the output of one map is zero for every image."""
    for place in silenced(network, address):
        module, channels = network.get_submodule(place.address), place.channels(unit)
        with torch.no_grad():
            for parameter in module.parameters(recurse=False):
                parameter[channels] = 0


def _next_norm(network: Network, address: str) -> list[Silenced]:
    """Of an operation inside a block: the batch norm that follows it there."""
    addresses = [operation.address for operation in network.operations]
    behind = addresses[addresses.index(address) + 1 :][:1]
    return [Silenced(found) for found in behind if isinstance(network.get_submodule(found), NORMS)]
