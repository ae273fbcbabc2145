"""What every layer makes of one image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

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

    Runs in evaluation mode without gradients, and leaves hooks, gradients and the mode of every module as they were.
    """
    outputs: list[np.ndarray] = []

    def keep(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        outputs.append(output[0].to("cpu", torch.float32, copy=True).contiguous().numpy())

    modes = {module: module.training for module in network.modules()}
    hooks = [child.register_forward_hook(keep) for child in network]
    try:
        network.eval()
        with torch.no_grad():
            network(image)
    finally:
        for hook in hooks:
            hook.remove()
        for module, mode in modes.items():
            module.training = mode
    layers = zip(network.layers, outputs, strict=True)
    return [LayerMaps(position, layer.kind, layer.title, maps) for position, (layer, maps) in enumerate(layers)]
