"""The same function with less work: how a network is run in training. Inspection runs it as the person wrote it."""

from __future__ import annotations

from torch import nn

MONOTONE = (nn.ReLU, nn.LeakyReLU, nn.Sigmoid, nn.Tanh)  # never swap two values, so they commute with a maximum


def pool_first(network: nn.Sequential) -> nn.Sequential:
    """The modules of `network`, shared, with every max pooling moved before the activation it follows.

    Values and gradients are the same, and the activation has a quarter of the pixels (2×2 pooling) to work on.
    """
    modules = list(network)
    for place in range(1, len(modules)):
        if isinstance(modules[place], nn.MaxPool2d) and isinstance(modules[place - 1], MONOTONE):
            modules[place - 1], modules[place] = modules[place], modules[place - 1]
    return nn.Sequential(*modules)
