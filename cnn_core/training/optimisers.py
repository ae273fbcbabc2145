"""Optimisers by their recipe name."""

from __future__ import annotations

import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from cnn_core.recipe import TrainingSpec


def build_optimiser(network: nn.Module, training: TrainingSpec, device: torch.device) -> Optimizer:
    """The recipe's optimiser over all parameters, fused: one pass over the weights (5-10% of a step on CPU).

    Weight decay pulls on weights only, not on biases and the scales and shifts of batch norm.
    """
    weights = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": weights, "weight_decay": training.weight_decay}, {"params": others, "weight_decay": 0.0}]
    groups = [group for group in groups if group["params"]]
    rate, fused, on_gpu = training.learning_rate, device.type in ("cpu", "cuda"), device.type == "cuda"
    if training.optimiser == "sgd":
        nesterov = training.nesterov and training.momentum > 0
        return SGD(groups, lr=rate, momentum=training.momentum, nesterov=nesterov, fused=fused)
    kind = Adam if training.optimiser == "adam" else AdamW
    return kind(groups, lr=rate, fused=fused, capturable=on_gpu)
