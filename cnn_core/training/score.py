"""Loss and accuracy of a network on a whole split."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnn_core.data.feed.batches import Batches
from cnn_core.training.execution import Execution
from cnn_core.training.hardware import autocast


@dataclass(frozen=True)
class Score:
    """Loss is mean cross-entropy in nats; logits are float32 (N, classes) on the CPU, in the order of the split."""

    loss: float
    accuracy: float
    logits: Tensor
    labels: Tensor  # int64 (N,)


@torch.no_grad()
def score(network: nn.Module, batches: Batches, execution: Execution) -> Score:
    """Run a split through the network in evaluation mode; the mode is set back afterwards."""
    execution.apply()
    training = network.training
    network.eval()
    logits, labels = [], []
    with autocast(batches.device, execution.precision):
        for images, truth in batches.epoch():
            logits.append(network(images).float())
            labels.append(truth)
    network.train(training)
    scores, true = torch.cat(logits).cpu(), torch.cat(labels).cpu()
    return Score(F.cross_entropy(scores, true).item(), (scores.argmax(1) == true).float().mean().item(), scores, true)
