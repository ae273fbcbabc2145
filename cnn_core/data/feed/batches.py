"""Batches of a split: the data set as one tensor, shuffled and augmented by draws that depend on position only."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from cnn_core.data.augmentation.batch_draws import mixed_seed
from cnn_core.data.augmentation.steps import Augmentation, augment
from cnn_core.data.dataset import ImageDataset
from cnn_core.data.feed.pixels import Pixels


class Batches:
    """Batches (images (B, C, H, W), labels int64 (B,)) of one split of a data set, as the network's input stage takes
    them: uint8 in 0..255, or float32 in 0..1 where a step of `augment` makes such.

    Where a step of `augment` mixes images the labels are float32 (B, classes): the share of each class.

    The order of an epoch depends on seed and epoch; the augmentation of a batch on seed, epoch and batch number.
    So an epoch entered in its middle goes on exactly as if it had been run from its start. `shuffle=False` gives
    the images in order. A last batch of a single image is left out when shuffling: batch norm cannot learn from it.
    """

    def __init__(
        self,
        dataset: ImageDataset,
        split: str,
        batch_size: int,
        *,
        seed: int = 0,
        shuffle: bool = False,
        augment: Sequence[Augmentation] = (),
        device: torch.device | str = "cpu",
    ):
        self.device = torch.device(device)
        self._pixels = Pixels(dataset, split, self.device)
        self._positions_on = self.device if self._pixels.resident else torch.device("cpu")
        self._classes = len(dataset.classes)
        self._seed, self._shuffle, self._augment = seed, shuffle, augment
        self.images = len(self._pixels)
        self.batch_size = min(batch_size, self.images)

    def __len__(self) -> int:
        """Batches in an epoch."""
        alone = self._shuffle and self.images > self.batch_size and self.images % self.batch_size == 1
        return math.ceil(self.images / self.batch_size) - alone

    def epoch(self, epoch: int = 0, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches of an epoch (0-based) from batch `start` on."""
        order = self._order(epoch)
        generator = torch.Generator(self.device)
        for number in range(start, len(self)):
            chosen = order[number * self.batch_size : (number + 1) * self.batch_size]
            generator.manual_seed(mixed_seed(self._seed, epoch, number))
            yield self._augmented(chosen, generator)

    def _augmented(self, chosen: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        images, labels = self._pixels.take(chosen)
        return augment(images, labels, self._classes, self._augment, generator)

    def _order(self, epoch: int) -> Tensor:
        """Positions in the split, in the order of the epoch."""
        order = torch.arange(self.images)
        if self._shuffle:
            generator = torch.Generator().manual_seed(mixed_seed(self._seed, epoch, -1))
            order = torch.randperm(self.images, generator=generator)
        return order.to(self._positions_on)
