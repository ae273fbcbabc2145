"""What a session trains on: the images of the splits, or features that frozen first layers compute of them once."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from cnn_core.data.augmentation.steps import read_steps
from cnn_core.data.catalogue.library import Progress
from cnn_core.data.dataset import ImageDataset
from cnn_core.data.feed.batches import Batches
from cnn_core.models.network import Network
from cnn_core.recipe import Recipe
from cnn_core.training.execution import Execution

SCORE_BATCH = 500
SCORE_VALUES = 6_200_000  # of a batch of images: all 500 up to 64×64 in colour, 41 of 224×224


class Feed:
    """The plain way: the network learns from images.

    `learner` is what learns from `batches` and is evaluated on `validation`; `test` has images. `record` is for the
    plan of the run.
    """

    def __init__(self, recipe: Recipe, dataset: ImageDataset, network: Network, device: torch.device, why: str = ""):
        """`why` the plain way, where features could have been computed once."""
        self.learner = network
        size, steps = recipe.training.batch_size, read_steps(recipe.augment)
        self.batches = Batches(dataset, "train", size, seed=recipe.seed, shuffle=True, augment=steps, device=device)
        self.validation, self.test = (scored(dataset, split, device) for split in ("validation", "test"))
        self.record: dict[str, Any] = {"sentence": why} if why else {}

    def sample(self) -> tuple[Tensor, Tensor]:
        """A batch by which to choose how to compute."""
        return next(self.batches.epoch())

    def prepare(self) -> Iterator[Progress]:
        """Make the batches ready, where they are not."""
        return iter(())

    def whole(self, learner: nn.Module) -> nn.Module:
        """The whole network of a learner, or of a view or copy of it."""
        return learner

    def tested(self, execution: Execution) -> Execution:
        """How the whole network is computed when the learner is computed by `execution`."""
        return execution


def scored(dataset: ImageDataset, split: str, device: torch.device) -> Batches:
    """The images of a split, in batches for evaluation."""
    return Batches(dataset, split, batch_for(dataset.shape), device=device)


def batch_for(shape: tuple[int, ...]) -> int:
    """How many images, or features, of `shape` are evaluated at once."""
    return max(16, min(SCORE_BATCH, SCORE_VALUES // math.prod(shape)))
