"""The same function with less work: how a network is run in training. Inspection runs it as the person wrote it."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

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


def pool_first(network: nn.Sequential) -> nn.Sequential:
    """The modules of `network`, shared, with every max pooling moved before the activation it follows, and before the
    bias of the convolution it then follows.

    Values and gradients are the same, and the activation has a quarter of the pixels (2×2 pooling) to work on.
    """
    modules: list[nn.Module] = []
    for module in network:
        if isinstance(module, nn.MaxPool2d) and modules and isinstance(modules[-1], MONOTONE):
            modules[-1:] = [module, modules[-1]]
        else:
            modules.append(module)
    return nn.Sequential(*_bias_last(modules))


def _bias_last(modules: list[nn.Module]) -> list[nn.Module]:
    """The modules with each pair of a convolution and max pooling made one `ConvThenPool`."""
    joined: list[nn.Module] = []
    for module in modules:
        last = joined[-1] if joined else None
        if isinstance(module, nn.MaxPool2d) and isinstance(last, nn.Conv2d) and last.bias is not None:
            joined[-1] = ConvThenPool(last, module)
        else:
            joined.append(module)
    return joined
