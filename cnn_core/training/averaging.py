"""An exponential moving average (EMA) of a network's weights."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from cnn_core.models.weights import set_state


class WeightAverage:
    """`network` is a copy, in evaluation mode, that holds the average.

    After step t = 0, 1, … it is d · average + (1 - d) · weights with d = min(decay, (1 + t) / (10 + t)): without that
    warm-up, of TensorFlow's ExponentialMovingAverage, a short run would end as a mixture with its random first weights.
    Running means and variances of batch norm are averaged like the weights (torch's AveragedModel with use_buffers),
    and whole numbers copied; what is frozen stays as it is, bit for bit.
    """

    def __init__(self, network: nn.Module, decay: float):
        self.network = copy.deepcopy(network).requires_grad_(False).eval()
        self._decay = decay
        self._steps = 0
        pairs = list(zip(_tensors(self.network), _tensors(network), strict=True))
        self._averaged = [pair for pair in pairs if pair[0].is_floating_point()]
        self._copied = [pair for pair in pairs if not pair[0].is_floating_point()]

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights as they are after a step. Does not wait for a GPU."""
        decay = min(self._decay, (1 + self._steps) / (10 + self._steps))
        self._steps += 1
        ours, theirs = zip(*self._averaged, strict=True)
        get_ema_multi_avg_fn(decay)(ours, theirs, self._steps)
        for own, value in self._copied:
            own.copy_(value)

    def state(self) -> dict[str, Any]:
        return {"steps": self._steps, "network": self.network.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state()`. Raises KeyError or RuntimeError where it is of another network."""
        self._steps = state["steps"]
        set_state(self.network, state["network"])


def _tensors(network: nn.Module) -> list[torch.Tensor]:
    """Weights and saved buffers: views of the network's own memory."""
    return list(network.state_dict().values())
