"""Loss and correct predictions since the last report, kept on the device, and their mean over recent images."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

LEAST_IMAGES = 512  # in a reported mean: the last batches of an epoch can be two images


class Sums(NamedTuple):
    """Over some training images."""

    loss: float  # cross-entropy in nats
    correct: int
    images: int


class Counters:
    """Sums stay tensors on the device: nothing waits for a GPU until they are read. `images` is counted by who adds."""

    def __init__(self, device: torch.device):
        self._loss = torch.zeros((), device=device)
        self._correct = torch.zeros((), dtype=torch.int64, device=device)
        self.images = 0

    @torch.no_grad()
    def add(self, logits: Tensor, labels: Tensor) -> None:
        """logits (B, classes), labels int64 (B,) or fractions (B, classes), of which the largest class is the label.

        Counts cross-entropy without label smoothing.
        """
        self._loss += F.cross_entropy(logits.float(), labels, reduction="sum")
        right = labels if labels.dim() == 1 else labels.argmax(dim=1)
        self._correct += (logits.argmax(dim=1) == right).sum()

    def read(self) -> Sums:
        """The sums since the last `take`."""
        return Sums(self._loss.item(), int(self._correct.item()), self.images)

    def take(self) -> Sums:
        """The sums since the last call; starts again from zero."""
        taken = self.read()
        self.put(Sums(0.0, 0, 0))
        return taken

    def put(self, sums: Sums) -> None:
        """Go on from sums that were read before."""
        self._loss.fill_(sums.loss)
        self._correct.fill_(sums.correct)
        self.images = sums.images


class RecentMean:
    """Means over the sums added last: as few as hold LEAST_IMAGES images, all of them while there are fewer."""

    def __init__(self, sums: list[Sums] | None = None):
        self.sums = sums or []

    def add(self, sums: Sums) -> None:
        self.sums.append(sums)
        while sum(part.images for part in self.sums[1:]) >= LEAST_IMAGES:
            del self.sums[0]

    @property
    def loss(self) -> float:
        """Mean cross-entropy in nats."""
        return sum(part.loss for part in self.sums) / max(1, self._images)

    @property
    def accuracy(self) -> float:
        """0..1."""
        return sum(part.correct for part in self.sums) / max(1, self._images)

    @property
    def _images(self) -> int:
        return sum(part.images for part in self.sums)
