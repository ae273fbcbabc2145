"""The same function with less work: how a network is run in training. Inspection runs it as the person wrote it."""

from __future__ import annotations

import copy

from torch import Tensor, nn
from torch.nn import functional as F

from cnn_core.models.network import Network

Modules = dict[str, nn.Module | None]
CHAINS = (nn.Sequential, Network)  # which run their children one after another
MONOTONE = (nn.ReLU, nn.LeakyReLU, nn.Sigmoid, nn.Tanh)  # never swap two values, so they commute with a maximum


class ConvThenPool(nn.Module):
    """Max pooling of a convolution, with the bias added to what is left: max(x) + b = max(x + b).

    Its gradient is then summed over a quarter of the pixels: 2 to 3 of the 24 ms of simple_cnn's step.
    """

    def __init__(self, conv: nn.Conv2d, pool: nn.MaxPool2d):
        super().__init__()
        self.conv, self.pool = conv, pool

    def forward(self, images: Tensor) -> Tensor:
        conv = self.conv
        maps = F.conv2d(images, conv.weight, None, conv.stride, conv.padding, conv.dilation, conv.groups)
        assert conv.bias is not None
        return self.pool(maps).add_(conv.bias.view(1, -1, 1, 1))


def pool_first(network: nn.Module) -> nn.Module:
    """The modules of `network`, shared, with every max pooling moved before the activation it follows, and before the
    bias of the convolution it then follows, in every chain of modules at any depth.

    Values and gradients are the same, and the activation has a quarter of the pixels (2×2 pooling) to work on. Frozen
    parts stay frozen: each module keeps its name, and pooling joins its convolution under the convolution's.
    """
    children = {name: child and pool_first(child) for name, child in network._modules.items()}
    if isinstance(network, CHAINS):
        children = _reordered(children)
    if all(child is network._modules.get(name) for name, child in children.items()) and list(children) == list(
        network._modules
    ):
        return network
    view = copy.copy(network)
    view._modules = children
    return view


def _reordered(chain: Modules) -> Modules:
    order: list[tuple[str, nn.Module | None]] = []
    for name, module in chain.items():
        if isinstance(module, nn.MaxPool2d) and order and isinstance(order[-1][1], MONOTONE):
            order[-1:] = [(name, module), order[-1]]
        else:
            order.append((name, module))
    return _bias_last(dict(order))


def _bias_last(chain: Modules) -> Modules:
    """The modules with each pair of a convolution and max pooling made one `ConvThenPool`."""
    joined: Modules = {}
    for name, module in chain.items():
        before, last = next(reversed(joined.items())) if joined else ("", None)
        if isinstance(module, nn.MaxPool2d) and isinstance(last, nn.Conv2d) and last.bias is not None:
            joined[before] = ConvThenPool(last, module)
        else:
            joined[name] = module
    return joined
