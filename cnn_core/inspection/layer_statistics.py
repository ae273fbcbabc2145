"""What each layer of a network makes of images, in a few numbers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnn_core.inspection.outputs import outputs
from cnn_core.models.network import Network


def layer_statistics(network: Network, batches: Iterable[Tensor]) -> list[NDArray[np.float32]]:
    """For each layer float32 (N, F): the mean and the standard deviation of each map, or the numbers of a row.

    A flatten has no entry: its numbers are those of the maps before it. `batches`: tensors (n, C, H, W)
    as the network takes them, on its device. In evaluation mode and without gradients; the network is only read. Raises
    ValueError without images.
    """
    addresses = [str(position) for position, layer in enumerate(network.layers) if layer.kind != "flatten"]
    found = [list(outputs(network, images, addresses, _of_layer).values()) for images in batches]
    if not found:
        raise ValueError("no images, no statistics")
    return [np.concatenate(layer) for layer in zip(*found, strict=True)]


def _of_layer(output: Tensor) -> NDArray[np.float32]:
    return _statistics(output).to("cpu", torch.float32, copy=True).numpy()


def _statistics(values: Tensor) -> Tensor:
    """(n, C, H, W) -> (n, 2·C); (n, F) as it is."""
    if values.ndim == 2:
        return values
    return torch.cat(torch.std_mean(values, dim=(2, 3), correction=0), dim=1)
