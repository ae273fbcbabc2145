"""Optimisers by their recipe name."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import Parameter
from torch.optim import SGD, Adam, AdamW, Optimizer

from cnn_core.models.operations import factor_of
from cnn_core.recipe import LayerRate, TrainingSpec


def build_optimiser(
    network: nn.Module, training: TrainingSpec, device: torch.device, rates: Sequence[LayerRate] = ()
) -> Optimizer:
    """The recipe's optimiser over all parameters that are not frozen, fused: one pass over the weights (5-10% of a step
    on CPU).

    Weight decay pulls on weights only, not on biases and the scales and shifts of batch norm. The "factor" of a group
    is what the learning rate of a step is multiplied by there.
    """
    groups = _groups(network, training.weight_decay, rates)
    rate, fused, on_gpu = training.learning_rate, device.type in ("cpu", "cuda"), device.type == "cuda"
    if training.optimiser == "sgd":
        nesterov = training.nesterov and training.momentum > 0
        return SGD(groups, lr=rate, momentum=training.momentum, nesterov=nesterov, fused=fused)
    kind = Adam if training.optimiser == "adam" else AdamW
    return kind(groups, lr=rate, fused=fused, capturable=on_gpu)


def _groups(network: nn.Module, decay: float, rates: Sequence[LayerRate]) -> list[dict[str, object]]:
    """For each factor the weights and the others: those with factor 1 first."""
    by_factor: dict[float, list[Parameter]] = {1.0: []}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            by_factor.setdefault(factor_of(name, rates), []).append(parameter)
    groups: list[dict[str, object]] = []
    for factor, parameters in by_factor.items():
        weights, others = [p for p in parameters if p.ndim > 1], [p for p in parameters if p.ndim <= 1]
        groups.append({"params": weights, "weight_decay": decay, "factor": factor})
        groups.append({"params": others, "weight_decay": 0.0, "factor": factor})
    return [group for group in groups if group["params"]]
