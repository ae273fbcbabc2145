"""A policy of random operations with a single strength, after RandAugment (Cubuk et al., 2019)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnn_core.data.augmentation.base import Augmentation, augmentations
from cnn_core.spec import option

if TYPE_CHECKING:
    from torch import Generator, Tensor


class RandomPolicy(Augmentation):
    """Operations are the registered kinds with `in_policy`, and leaving the image alone.

    For each of the `operations` in turn the batch is dealt out like cards: in a random order, the same number of
    images to every kind. So each image has each kind with the same probability, and the size of no group depends on
    the draws, for which a GPU would have to be waited.
    """

    kind = "policy"
    title = "Random policy"
    help = "A few random operations an image, all at one strength (RandAugment): when there is no time to choose."

    strength: float = option(0.3, "From 0, nothing, to 1, hard to recognise.", ge=0, le=1, strong=1.0)
    operations: int = option(2, "How many operations each image gets, one after the other.", ge=1, le=6)

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        from cnn_core.data.augmentation.batch_draws import to_float

        images = to_float(images)
        side = max(images.shape[2:])
        steps = [
            kind.at_strength(self.strength * kind.in_policy, side)
            for kind in augmentations
            if kind.in_policy and (images.shape[1] == 3 or not kind.needs_colour)
        ]
        for _ in range(self.operations):
            images = self._deal(images, steps, generator)
        return images

    def _deal(self, images: Tensor, steps: list[Augmentation], generator: Generator) -> Tensor:
        """One operation for each image. A batch that cannot be dealt out evenly is filled up with copies."""
        import torch

        from cnn_core.data.augmentation.batch_draws import order

        hands = len(steps) + 1  # the last one leaves its images alone
        each = -(-len(images) // hands)
        dealt = order(images, generator, count=hands * each)
        *groups, alone = images.index_select(0, dealt.remainder(len(images))).split(each)
        changed = torch.cat([*(step.apply(group, generator) for step, group in zip(steps, groups, strict=True)), alone])
        return torch.empty_like(changed).index_copy_(0, dealt, changed)[: len(images)]


KINDS: tuple[type[Augmentation], ...] = (RandomPolicy,)
