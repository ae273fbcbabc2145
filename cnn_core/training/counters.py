"""Loss and correct answers since the last report, kept on the device."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


class Counters:
    """Sums stay tensors on the device: nothing waits for a GPU until `take`. `images` is counted by who adds."""

    def __init__(self, device: torch.device):
        self._loss = torch.zeros((), device=device)
        self._correct = torch.zeros((), dtype=torch.int64, device=device)
        self.images = 0

    @torch.no_grad()
    def add(self, logits: Tensor, labels: Tensor) -> None:
        """logits (B, classes), labels int64 (B,) or shares (B, classes), of which the largest class is the right one.

        Counts cross-entropy without label smoothing.
        """
        self._loss += F.cross_entropy(logits.float(), labels, reduction="sum")
        right = labels if labels.dim() == 1 else labels.argmax(dim=1)
        self._correct += (logits.argmax(dim=1) == right).sum()

    def take(self) -> tuple[float, float, int]:
        """Mean loss in nats, accuracy 0..1 and number of images since the last call; starts again from zero."""
        images = max(1, self.images)
        taken = self._loss.item() / images, self._correct.item() / images, self.images
        self._loss.zero_()
        self._correct.zero_()
        self.images = 0
        return taken
