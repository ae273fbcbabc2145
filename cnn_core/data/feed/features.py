"""Batches of features: what the frozen first layers of a network make of the images of a split, computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from cnn_core.data.augmentation.batch_draws import mixed_seed
from cnn_core.data.augmentation.steps import Augmentation
from cnn_core.data.dataset import ImageDataset
from cnn_core.data.feed.batches import Batches
from cnn_core.data.feed.rows import Place, Rows

BANK, CHOICE = -2, -3  # where the seed of a batch has its number: for draws that belong to no batch


class FeatureBatches(Batches):
    """Batches (features float32 (B, *shape), labels) of one split, in the order in which `Batches` gives the images.

    Every image has `variants` rows, its bank, each augmented by draws of its own. An epoch takes one of them; so many
    epochs in a row take each of them once, in an order drawn for each image. The draws depend on seed, variant and
    epoch only, so a bank that is computed again is the same. `fill` is run to its end before batches are asked for.
    """

    def __init__(
        self,
        dataset: ImageDataset,
        split: str,
        batch_size: int,
        shape: tuple[int, ...],
        place: Place,
        *,
        variants: int = 1,
        seed: int = 0,
        shuffle: bool = False,
        augment: Sequence[Augmentation] = (),
        device: torch.device | str = "cpu",
    ):
        super().__init__(dataset, split, batch_size, seed=seed, shuffle=shuffle, augment=augment, device=device)
        self.variants = variants
        self._rows = Rows(self.images * variants, shape, self.device, place)
        self._labels = torch.empty(0)  # int64, or float32 shares of the classes where images are mixed

    def fill(self, compute: Callable[[Tensor], Tensor], chunk: int) -> Iterator[int]:
        """Compute the rows of `chunk` images at a time; yields how many rows are done.

        compute: images (B, C, H, W) as the network takes them -> features (B, *shape). Images that are mixed are mixed
        with others of their chunk; the chunks of augmented images are drawn anew for each variant.
        """
        generator = torch.Generator(self.device)
        done = 0
        for variant in range(self.variants):
            for number, chosen in enumerate(self._bank_order(variant).split(chunk)):
                generator.manual_seed(mixed_seed(self._seed, variant, number, BANK))
                images, labels = self._augmented(chosen, generator)
                self._put(chosen + variant * self.images, compute(images), labels)
                done += len(chosen)
                yield done
        del self._pixels  # the memory of a GPU is for the network now

    def epoch(self, epoch: int = 0, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        order = self._order(epoch)
        rows = (order + self.images * self._choice(epoch).to(order.device)[order]).to(self._rows.lie_on)
        for number in range(start, len(self)):
            chosen = rows[number * self.batch_size : (number + 1) * self.batch_size]
            yield self._rows.take(chosen), self._labels.index_select(0, chosen).to(self.device)

    def blank(self) -> tuple[Tensor, Tensor]:
        """A batch of zeros with labels of the kind that batches have, whether or not any row is computed."""
        generator = torch.Generator(self.device).manual_seed(0)
        _, labels = self._augmented(self._order(0)[: self.batch_size], generator)
        return self._rows.take(torch.zeros(len(labels), dtype=torch.int64, device=self._rows.lie_on)).zero_(), labels

    def _put(self, places: Tensor, rows: Tensor, labels: Tensor) -> None:
        places = places.to(self._rows.lie_on)
        self._rows.put(places, rows)
        if not len(self._labels):
            size = (self.images * self.variants, *labels.shape[1:])
            self._labels = torch.empty(size, dtype=labels.dtype, device=self._rows.lie_on)
        self._labels.index_copy_(0, places, labels.to(self._rows.lie_on))

    def _bank_order(self, variant: int) -> Tensor:
        """Positions in the split in the order in which they are computed: neighbours in a file are often of one class,
        and images are mixed with their neighbours."""
        if not self._augment:
            return torch.arange(self.images, device=self._positions_on)
        generator = torch.Generator().manual_seed(mixed_seed(self._seed, variant, BANK))
        return torch.randperm(self.images, generator=generator).to(self._positions_on)

    def _choice(self, epoch: int) -> Tensor:
        """int64 (images,): the variant of each image in an epoch."""
        if self.variants == 1:
            return torch.zeros(self.images, dtype=torch.int64)
        generator = torch.Generator().manual_seed(mixed_seed(self._seed, epoch // self.variants, CHOICE))
        draws = torch.rand(self.images, self.variants, generator=generator)
        return draws.argsort(dim=1, stable=True)[:, epoch % self.variants]
