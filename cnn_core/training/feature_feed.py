"""Training the last layers on features that the frozen first ones compute once."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cnn_core.data.augmentation.steps import read_steps
from cnn_core.data.catalogue.library import Progress
from cnn_core.data.dataset import ImageDataset
from cnn_core.data.feed.features import FeatureBatches
from cnn_core.data.feed.rows import place_for
from cnn_core.models.network import Network
from cnn_core.models.prefix import divide, has_convolution, join, settled_layers
from cnn_core.models.summary import shapes
from cnn_core.recipe import Recipe
from cnn_core.settings import settings
from cnn_core.training.execution import Execution, fixed
from cnn_core.training.feed import Feed, batch_for, scored
from cnn_core.training.hardware import autocast
from cnn_core.training.reorder import pool_first

CHUNK_IMAGES, CHUNK_VALUES = 512, 2_500_000  # computed at once: 16 of 224×224 in colour
GPU_CHUNKS = 8  # times as many on a GPU
TICK = 0.5  # seconds between two reports of progress


@dataclass(frozen=True)
class Bank:
    """What is computed: features of the training images, each in `variants`, and of the validation images."""

    layers: int  # the first ones, frozen
    shape: tuple[int, ...]  # of the features of an image
    augmented: bool
    variants: int
    images: int
    validation: int

    @property
    def rows(self) -> int:
        return self.images * self.variants + self.validation

    @property
    def size(self) -> int:
        """Bytes of float32 numbers."""
        return 4 * self.rows * math.prod(self.shape)

    def __str__(self) -> str:
        variants = "1 augmented variant" if self.variants == 1 else f"{self.variants} augmented variants"
        each = f"{variants} of each image; an epoch takes one of them" if self.augmented else "each image"
        return f"{self._frozen}, so their features were computed once for {each}."

    def not_once(self, why: str) -> str:
        return f"{self._frozen}, but their features were computed anew at each step: {why}."

    @property
    def _frozen(self) -> str:
        return f"The first {self.layers} layers are frozen" if self.layers > 1 else "The first layer is frozen"


def feed_of(
    recipe: Recipe, dataset: ImageDataset, network: Network, device: torch.device, plan: Mapping[str, Any] | None = None
) -> Feed:
    """Features where the first layers are frozen and computing theirs once is possible and worth it, else images.

    plan: of a run that is resumed: it goes on as it began. Raises OSError where the disk has no room for that.
    """
    layers = settled_layers(network)
    record = (plan or {}).get("features") or {}
    if plan is not None and "layers" not in record:  # it began with images, maybe before there were features
        return Feed(recipe, dataset, network, device, record.get("sentence", ""))
    if not layers:
        return Feed(recipe, dataset, network, device)
    bank = bank_of(recipe, dataset, network, layers)
    if plan is not None:
        return FeatureFeed(recipe, dataset, network, device, bank, Execution(**record["execution"]))
    why = _why_not(recipe, network, bank)
    if why is None:
        try:
            return FeatureFeed(recipe, dataset, network, device, bank, fixed(recipe.training, device))
        except OSError as error:
            why = bank.not_once(f"{bank.size / 1e9:.1f} GB did not fit on the disk ({error.strerror})")
    return Feed(recipe, dataset, network, device, why)


def bank_of(recipe: Recipe, dataset: ImageDataset, network: Network, layers: int) -> Bank:
    """More variants than epochs would never be used, and without augmentation all of them are the same."""
    shape = shapes(network.layers, dataset.shape, len(dataset.classes))[layers]
    variants = max(1, min(recipe.training.feature_bank, recipe.training.epochs)) if recipe.augment else 1
    images, validation = (len(dataset.splits[split]) for split in ("train", "validation"))
    return Bank(layers, shape, bool(recipe.augment), variants, images, validation)


def _why_not(recipe: Recipe, network: Network, bank: Bank) -> str | None:
    """A sentence, or an empty one where there is nothing to say; None where features are computed once."""
    if not any(True for layer in range(bank.layers) for _ in network[layer].parameters()):
        return ""
    if not recipe.training.feature_bank:
        return bank.not_once("the recipe's feature bank is 0")
    if not has_convolution(network, bank.layers):
        return bank.not_once("without a convolution among them that takes no time worth saving")
    if bank.size > settings().feature_megabytes * 1_000_000:
        wanted, limit = bank.size / 1e9, settings().feature_megabytes / 1e3
        return bank.not_once(f"they would take {wanted:.1f} GB, and {limit:.3g} GB are allowed")
    return None


class FeatureFeed(Feed):
    """The first layers are frozen: `learner` is the rest of the network, its batches are features.

    They are computed by `execution`, as is the whole network in the end. They are not kept: a run that is resumed
    computes them again, and they are the same.
    """

    def __init__(
        self,
        recipe: Recipe,
        dataset: ImageDataset,
        network: Network,
        device: torch.device,
        bank: Bank,
        execution: Execution,
    ):
        self._bank, self._execution, self._device, self._ready = bank, execution, device, False
        self._first, self.learner = divide(network, bank.layers)
        steps, seed, shape = read_steps(recipe.augment), recipe.seed, bank.shape
        place = place_for(bank.size, device)
        self.batches: FeatureBatches = FeatureBatches(
            dataset,
            "train",
            recipe.training.batch_size,
            shape,
            place,
            variants=bank.variants,
            seed=seed,
            shuffle=True,
            augment=steps,
            device=device,
        )
        self.validation: FeatureBatches = FeatureBatches(
            dataset, "validation", batch_for(shape), shape, place, device=device
        )
        self.test = scored(dataset, "test", device)
        chunk = max(16, min(CHUNK_IMAGES, CHUNK_VALUES // math.prod(dataset.shape)))
        self._chunk = chunk * GPU_CHUNKS if device.type == "cuda" else chunk
        self.record = {
            "sentence": str(bank),
            "layers": bank.layers,
            "shape": list(shape),
            "variants": bank.variants,
            "rows": bank.rows,
            "megabytes": round(bank.size / 1e6, 3),
            "place": place,
            "execution": asdict(execution),
        }

    def sample(self) -> tuple[Tensor, Tensor]:
        return self.batches.blank()

    def prepare(self) -> Iterator[Progress]:
        if self._ready:
            return
        began = reported = time.perf_counter()
        self._execution.apply()
        self._network = self._frozen_network()
        for before, batches in ((0, self.batches), (self._bank.rows - self._bank.validation, self.validation)):
            for done in batches.fill(self._compute, self._chunk):
                if time.perf_counter() - reported >= TICK:
                    reported = time.perf_counter()
                    yield Progress("computing features", before + done, self._bank.rows, "images")
        self._ready = True
        self.record["seconds"] = round(time.perf_counter() - began, 3)

    def whole(self, learner: nn.Module) -> nn.Module:
        return join(self._first, learner)

    def tested(self, execution: Execution) -> Execution:
        return self._execution

    def _frozen_network(self) -> nn.Module:
        self._first.to(memory_format=self._execution.memory_format)
        self._first.input.memory_format = self._execution.memory_format
        return (pool_first(self._first) if self._execution.pool_first else self._first).eval()

    @torch.no_grad()
    def _compute(self, images: Tensor) -> Tensor:
        with autocast(self._device, self._execution.precision):
            features: Tensor = self._network(images)
        return features
