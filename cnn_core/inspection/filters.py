"""The kernels a network has learned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import nn

from cnn_core.models.network import Network


@dataclass(frozen=True)
class Filters:
    """The weights of one convolution."""

    address: str
    position: int  # 0-based, of the layer it belongs to
    title: str  # "Convolution", "Residual block, convolution 2"
    weights: np.ndarray  # float32 (O, I, kernel height, kernel width)


def filters(network: Network) -> list[Filters]:
    """Every convolution of the network in order, those inside layers too."""
    found = []
    for operation in network.operations:
        module = network.get_submodule(operation.address)
        if isinstance(module, nn.Conv2d):
            found.append(Filters(operation.address, operation.position, operation.title, _numpy(module)))
    return found


def _numpy(convolution: nn.Conv2d) -> np.ndarray:
    return convolution.weight.detach().float().cpu().contiguous().numpy().copy()
