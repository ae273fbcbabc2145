"""The first layers of a network that stay as they are while the others learn, and the two parts they divide it into."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.dropout import _DropoutNd

from cnn_core.models.network import INPUT, Network

OF_THE_MODE = (_DropoutNd, _NormBase, nn.RReLU)  # compute otherwise in training than in evaluation
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


def settled_layers(network: Network) -> int:
    """How many of the first layers give the same for an image at every step of training: nothing in them learns, and
    what computes otherwise in training, such as dropout, is frozen and so in evaluation mode.

    Layers without weights count where all before them do. Never all layers: 0 where nothing would be left.
    """
    training = network.training
    network.train()
    settled = [_is_settled(layer) for layer in network]
    network.train(training)
    return settled.index(False) if False in settled else 0


def _is_settled(layer: nn.Module) -> bool:
    if any(weight.requires_grad for weight in layer.parameters()):
        return False
    return not any(
        module.training and (isinstance(module, OF_THE_MODE) or module._buffers) for module in layer.modules()
    )


def has_convolution(network: Network, layers: int) -> bool:
    """Whether one of the first `layers` has a convolution."""
    return any(isinstance(module, CONVOLUTIONS) for layer in range(layers) for module in network[layer].modules())


class Features(nn.Module):
    """Stands where the input stage of a whole network does: maps (N, C, H, W) or rows (N, F) float32 go on in
    `memory_format`."""

    def __init__(self, memory_format: torch.memory_format = torch.contiguous_format):
        super().__init__()
        self.memory_format = memory_format

    def forward(self, features: Tensor) -> Tensor:
        return features.contiguous(memory_format=self.memory_format) if features.dim() == 4 else features


def divide(network: Network, layers: int) -> tuple[Network, Network]:
    """The input stage with the first `layers`, and the others, which take what those give: both made of the network's
    own modules under their own addresses."""
    first, last = copy.copy(network), copy.copy(network)
    front = {INPUT, *map(str, range(layers))}
    first._modules = {name: module for name, module in network._modules.items() if name in front}
    last._modules = {INPUT: Features()} | {name: m for name, m in network._modules.items() if name not in front}
    return first, last


def join(first: nn.Module, last: nn.Module) -> nn.Module:
    """The whole network again, made of what `divide` gave, or of views or copies of it."""
    whole = copy.copy(last)
    whole._modules = first._modules | {name: module for name, module in last._modules.items() if name != INPUT}
    return whole
