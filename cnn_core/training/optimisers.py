"""Optimisers by their recipe name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import Parameter
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

from cnn_core.models.operations import factor_of
from cnn_core.recipe import LayerRate, TrainingSpec
from cnn_core.training.hardware import computes_bfloat16
from cnn_core.training.muon import Muon, matrices_of


def build_optimiser(
    network: nn.Module, training: TrainingSpec, device: torch.device, rates: Sequence[LayerRate] = ()
) -> Optimizer:
    """The recipe's optimiser over all parameters that are not frozen, fused where torch has it: one pass over the
    weights (5-10% of a step on CPU).

    Weight decay pulls on weights only, not on biases and the scales and shifts of batch norm. The "factor" of a group
    is what the learning rate of a step is multiplied by there. What is no choice of the recipe is as torch has it:
    betas 0.9 and 0.999 of Adam and AdamW, RMSprop without momentum and with alpha 0.99.
    """
    groups = _groups(network, training, rates)
    rate, fused, on_gpu = training.learning_rate, device.type in ("cpu", "cuda"), device.type == "cuda"
    if training.optimiser == "sgd":
        nesterov = training.nesterov and training.momentum > 0
        return SGD(groups, lr=rate, momentum=training.momentum, nesterov=nesterov, fused=fused)
    if training.optimiser == "rmsprop":
        return RMSprop(groups, lr=rate, capturable=on_gpu)
    if training.optimiser == "muon":
        # Emulated, bfloat16 took 87 ms for a matrix of 64 x 576, and float32 1 ms
        dtype = torch.bfloat16 if computes_bfloat16(device) else torch.float32
        return Muon(groups, dtype, lr=rate, fused=fused, capturable=on_gpu)
    kind = Adam if training.optimiser == "adam" else AdamW
    return kind(groups, lr=rate, fused=fused, capturable=on_gpu)


def bytes_of_state(optimiser: Optimizer) -> int:
    """Of all that it remembers of the weights, once it has made a step."""
    return sum(
        _copies(optimiser, group) * sum(weight.numel() * weight.element_size() for weight in group["params"])
        for group in optimiser.param_groups
    )


def _copies(optimiser: Optimizer, group: dict[str, Any]) -> int:
    """Numbers that are remembered of each weight."""
    if isinstance(optimiser, RMSprop) or group.get("matrices"):
        return 1
    return 2 if isinstance(optimiser, Adam | Muon) else int(bool(group.get("momentum")))


def _groups(network: nn.Module, training: TrainingSpec, rates: Sequence[LayerRate]) -> list[dict[str, Any]]:
    """For each factor the weights and the others, with Muon its matrices before them: those with factor 1 first."""
    muon = training.optimiser == "muon"
    matrices = {id(weight) for weight in matrices_of(network)} if muon else set()
    by_factor: dict[float, list[Parameter]] = {1.0: []}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            by_factor.setdefault(factor_of(name, rates), []).append(parameter)
    groups: list[dict[str, Any]] = []
    for factor, parameters in by_factor.items():
        for is_matrix, is_weight in ((True, True), (False, True), (False, False)):
            chosen = [p for p in parameters if (id(p) in matrices, p.ndim > 1) == (is_matrix, is_weight)]
            decay = training.weight_decay if is_weight else 0.0
            kind = {"matrices": is_matrix} if muon else {}
            groups.append({"params": chosen, "weight_decay": decay, "factor": factor} | kind)
    return [group for group in groups if group["params"]]
