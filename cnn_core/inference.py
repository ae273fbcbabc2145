"""A run as a classifier of images, at any kept epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from cnn_core.data.decode import Fit, fit
from cnn_core.errors import RunFilesError
from cnn_core.models.network import Network, build
from cnn_core.models.weights import load_weights
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.live import LIVE
from cnn_core.runs.store import store
from cnn_core.runs.tables import Run


@dataclass(frozen=True)
class Classifier:
    """A trained network with all that is needed to feed it: shape (C, H, W) and class names."""

    network: Network  # in evaluation mode, on the CPU
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    fit: Fit = "crop"

    @classmethod
    def open(cls, run_id: str, epoch: int | None = None) -> Classifier:
        """The weights of an epoch, None for the best. Raises PlaygroundError when they are not there."""
        run, folder = store().get(run_id), RunFolder(run_id)
        return cls._of(run, folder.weights(epoch, run.best_epoch), folder.plan())

    @classmethod
    def open_live(cls, run_id: str) -> Classifier:
        """The weights a run has while it is trained and watched. Raises RunFilesError where there are none."""
        run, folder = store().get(run_id), RunFolder(run_id)
        try:
            return cls._of(run, folder.files.open(LIVE), folder.plan())
        except FileNotFoundError:
            raise RunFilesError("The present weights of this run are not here: it is not being trained.") from None

    @classmethod
    def _of(cls, run: Run, weights: Path, plan: Mapping[str, Any]) -> Classifier:
        channels, height, width = plan["shape"]
        shape, classes = (channels, height, width), tuple(plan["classes"])
        network = build(run.recipe.network.layers, shape, len(classes), plan["mean"], plan["std"])
        load_weights(network, weights)
        network.eval()
        return cls(network, classes, shape, plan.get("fit", "crop"))

    def see(self, image: Image.Image) -> np.ndarray:
        """A decoded image as the network gets it: uint8 (C, H, W), made square and scaled as at import."""
        channels, height, _ = self.shape
        return fit(image, channels, height, self.fit)

    def tensor(self, images: np.ndarray) -> Tensor:
        """uint8 (N, C, H, W) as the network takes it: a copy, since data sets are read-only."""
        return torch.tensor(images)

    def batches(self, images: np.ndarray, positions: np.ndarray, size: int = 256) -> Iterator[Tensor]:
        """`images[positions]`, out of uint8 (N, C, H, W), as tensors for the network, `size` at a time."""
        return (self.tensor(images[positions[at : at + size]]) for at in range(0, len(positions), size))

    @torch.no_grad()
    def classify_many(self, images: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """As `classify`, of `images[positions]`, however many: float32 (len(positions), classes)."""
        probabilities = [self.network(batch).softmax(dim=1).numpy() for batch in self.batches(images, positions)]
        return np.concatenate([np.zeros((0, len(self.classes)), np.float32), *probabilities])

    @torch.no_grad()
    def classify(self, images: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
        """uint8 (N, C, H, W) -> float32 (N, classes): probabilities, the softmax of the logits."""
        return self.network(self.tensor(np.asarray(images))).softmax(dim=1).numpy()
