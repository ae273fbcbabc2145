"""The output of every operation of a network for one image."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from cnn_core.inspection.outputs import outputs
from cnn_core.inspection.stage.graph import ADD, SOFTMAX, Node
from cnn_core.models.network import INPUT, Network


def flow(network: Network, image: Tensor, nodes: Sequence[Node]) -> dict[str, Tensor]:
    """Address -> float32 output (C, H, W) or (F,) on the CPU of every node, and of "input": the image as the first
    layer takes it, normalised. `image`: (1, C, H, W) as the network takes it.

    In evaluation mode and without gradients. The network is only read, so any number of threads may share it.
    """
    modules = [INPUT, *(node.address for node in nodes if not _computed_here(node))]
    found = outputs(network, image, modules, _first)
    values = {INPUT: found[INPUT]}
    for node in nodes:
        if node.kind == ADD and _computed_here(node):
            first, second = (values[source] for source in node.sources)
            values[node.address] = first + second
        elif node.kind == SOFTMAX:
            values[node.address] = values[node.sources[0]].softmax(0)
        else:
            values[node.address] = found[node.address]
    return values


def _computed_here(node: Node) -> bool:
    """Whether it is no module of the network."""
    return node.kind == SOFTMAX or node.address.endswith(f".{ADD}")


def _first(output: Tensor) -> Tensor:
    return output[0].to("cpu", torch.float32, copy=True).contiguous()
