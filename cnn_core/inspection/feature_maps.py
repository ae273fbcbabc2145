"""What every layer makes of one image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cnn_core.inspection.evaluation_view import evaluation_view
from cnn_core.models.network import Network


@dataclass(frozen=True)
class LayerMaps:
    """The output of one layer for one image."""

    position: int  # 0-based
    kind: str
    title: str
    maps: np.ndarray  # float32 (C, H, W), or (F,) after a flatten or a linear layer


def feature_maps(network: Network, image: Tensor) -> list[LayerMaps]:
    """The output of every layer for `image`, a normalised float tensor (1, C, H, W) on the network's device.

    In evaluation mode and without gradients. The network is only read, so any number of threads may share it.
    """
    outputs: list[np.ndarray] = []
    values = image
    with torch.no_grad():
        for child in evaluation_view(network):
            values = child(values)
            outputs.append(values[0].to("cpu", torch.float32, copy=True).contiguous().numpy())
    layers = zip(network.layers, outputs, strict=True)
    return [LayerMaps(position, layer.kind, layer.title, maps) for position, (layer, maps) in enumerate(layers)]
