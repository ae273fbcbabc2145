"""Units that never fire."""

from __future__ import annotations

from torch import Tensor

from cnn_core.inspection.outputs import outputs
from cnn_core.inspection.stage.graph import graph
from cnn_core.models.network import Network


def dead_shares(network: Network, images: Tensor) -> dict[str, float]:
    """Address of each ReLU -> the fraction, 0..1, of its maps or units that are zero everywhere for all of `images`
    (N, C, H, W), as the network takes them. Other activations are never exactly zero on a whole side and have none."""
    return outputs(network, images, [node.address for node in graph(network) if node.kind == "relu"], _dead)


def _dead(output: Tensor) -> float:
    """Of an output (N, C, H, W) or (N, F)."""
    others = [axis for axis in range(output.ndim) if axis != 1]
    return float((output.amax(others) <= 0).float().mean())
