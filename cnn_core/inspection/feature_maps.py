"""What every layer makes of one image, and every operation inside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cnn_core.inspection.outputs import outputs
from cnn_core.models.network import Network


@dataclass(frozen=True)
class LayerMaps:
    """The output of one layer, or of one operation inside it, for one image."""

    address: str
    position: int  # of the layer, 0-based
    kind: str  # of the layer
    title: str  # "Residual block", or "Residual block, convolution 1"
    maps: np.ndarray  # float32 (C, H, W), or (F,) after a flatten or a linear layer


def feature_maps(network: Network, image: Tensor) -> list[LayerMaps]:
    """The output of every layer for `image`, a tensor (1, C, H, W) as the network takes it, on the network's device.

    In evaluation mode and without gradients. The network is only read, so any number of threads may share it.
    """
    found = outputs(network, image, map(str, range(len(network))), _first)
    return [
        LayerMaps(str(position), position, layer.kind, layer.title, found[str(position)])
        for position, layer in enumerate(network.layers)
    ]


def inner_maps(network: Network, image: Tensor, position: int) -> list[LayerMaps]:
    """The output of every operation inside the layer at `position`; of a layer that is a single operation its own."""
    inside = [operation for operation in network.operations if operation.position == position]
    found = outputs(network, image, [operation.address for operation in inside], _first)
    kind = network.layers[position].kind
    return [LayerMaps(each.address, position, kind, each.title, found[each.address]) for each in inside]


def _first(output: Tensor) -> np.ndarray:
    return output[0].to("cpu", torch.float32, copy=True).contiguous().numpy()
