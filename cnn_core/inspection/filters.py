"""The kernels a network has learned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import nn

from cnn_core.models.network import Network


@dataclass(frozen=True)
class Filters:
    """The weights of one convolution."""

    position: int  # 0-based, of the layer it belongs to
    title: str  # "Convolution", "Residual block, convolution 2 of 3"
    weights: np.ndarray  # float32 (O, I, kernel height, kernel width)


def filters(network: Network) -> list[Filters]:
    """Every convolution of the network in order, those inside residual blocks too; the 1×1 one on a skip comes last."""
    found: list[Filters] = []
    for position, (layer, child) in enumerate(zip(network.layers, network, strict=True)):
        convolutions = [module for module in child.modules() if isinstance(module, nn.Conv2d)]
        for number, convolution in enumerate(convolutions, start=1):
            part = f", convolution {number} of {len(convolutions)}" if len(convolutions) > 1 else ""
            found.append(Filters(position, layer.title + part, _numpy(convolution)))
    return found


def _numpy(convolution: nn.Conv2d) -> np.ndarray:
    return convolution.weight.detach().float().cpu().contiguous().numpy().copy()
