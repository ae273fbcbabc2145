"""What each layer of a network makes of images, in a few numbers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnn_core.inspection.evaluation_view import evaluation_view
from cnn_core.models.network import Network


def layer_statistics(network: Network, batches: Iterable[Tensor]) -> list[NDArray[np.float32]]:
    """For each layer float32 (N, F): the mean and the standard deviation of each map, or the numbers of a row.

    A flatten has no entry: its numbers are those of the maps before it. `batches`: normalised float tensors
    (n, C, H, W) on the network's device. In evaluation mode and without gradients; the network is only read. Raises
    ValueError without images.
    """
    view = evaluation_view(network)
    with torch.no_grad():
        found = [_of_batch(network, view, values) for values in batches]
    if not found:
        raise ValueError("no images, no statistics")
    return [np.concatenate(layer) for layer in zip(*found, strict=True)]


def _of_batch(network: Network, view: Network, values: Tensor) -> list[NDArray[np.float32]]:
    rows = []
    for layer, child in zip(network.layers, view, strict=True):
        values = child(values)
        if layer.kind != "flatten":
            rows.append(_statistics(values).to("cpu", torch.float32, copy=True).numpy())
    return rows


def _statistics(values: Tensor) -> Tensor:
    """(n, C, H, W) -> (n, 2·C); (n, F) as it is."""
    if values.ndim == 2:
        return values
    return torch.cat(torch.std_mean(values, dim=(2, 3), correction=0), dim=1)
