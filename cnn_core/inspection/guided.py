"""Guided backpropagation (Springenberg et al. 2014)."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn


class _Guided(torch.autograd.Function):
    """ReLU whose gradient is let through only where the input and the gradient are above zero."""

    @staticmethod
    def forward(context: Any, values: Tensor) -> Tensor:
        output = values.clamp(min=0)
        context.save_for_backward(output)
        return output

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        (output,) = context.saved_tensors
        return gradients[0].clamp(min=0) * (output > 0)


class GuidedReLU(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        return _Guided.apply(values)


def guided_gradient(network: nn.Module, pixels: Tensor, target: int) -> Tensor:
    """The gradient of the logit of class `target` by `pixels`, float (1, C, H, W), with every `nn.ReLU` guided; of the
    same shape. Other activations keep their gradient.

    captum's own sets hooks and warns of it at each call, and warnings can be silenced for all threads only.
    """
    own = copy.deepcopy(network)
    for parent in list(own.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.ReLU):
                setattr(parent, name, GuidedReLU())
    pixels = pixels.detach().requires_grad_()
    with torch.enable_grad():
        score = own(pixels)[0, target]
    return torch.autograd.grad(score, pixels)[0]
