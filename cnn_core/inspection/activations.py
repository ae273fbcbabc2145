"""What the last layer of a network decides from."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from cnn_core.inspection.evaluation_view import evaluation_view


def penultimate(network: nn.Module, batches: Iterable[Tensor]) -> np.ndarray:
    """float32 (N, F): what goes into the last linear layer for each image of `batches`, or into the last convolution
    of a network without one, then the mean of each map.

    `batches`: tensors (n, C, H, W) as the network takes them, on its device. In evaluation mode and without gradients.
    The network is only read, so any number of threads may share it. Raises ValueError for a network without weights or
    without images.
    """
    rows: list[np.ndarray] = []

    def keep(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        values = inputs[0].mean((2, 3)) if inputs[0].ndim == 4 else inputs[0]
        rows.append(values.to("cpu", torch.float32).numpy())

    view = evaluation_view(network)
    _last(view).register_forward_pre_hook(keep)
    with torch.no_grad():
        for images in batches:
            view(images)
    return np.concatenate(rows)


def _last(network: nn.Module) -> nn.Module:
    """The last linear layer, else the last convolution."""
    modules = list(network.modules())
    for kind in (nn.Linear, nn.Conv2d):
        if found := [module for module in modules if isinstance(module, kind)]:
            return found[-1]
    raise ValueError("a network without weights has no last layer")
