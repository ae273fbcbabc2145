"""Which epochs' weights are kept within the disk budget of a run."""

from __future__ import annotations

import math

from torch import nn

from cnn_core.settings import settings


def keep_epochs(network: nn.Module, epochs: int) -> set[int]:
    """Every epoch when they fit in `snapshot_megabytes`, else every k-th; the first and the last always."""
    size = sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())
    fitting = max(2, settings().snapshot_megabytes * 1_000_000 // max(1, size) - 1)
    stride = math.ceil(epochs / fitting)
    return {1, epochs, *range(stride, epochs + 1, stride)}
