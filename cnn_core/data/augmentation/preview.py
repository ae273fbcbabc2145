"""What training would make of a few images: the same code, the same draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnn_core.data.augmentation.batch_draws import mixed_seed
from cnn_core.data.augmentation.steps import Augmentation, augment

Images = NDArray[np.uint8]
Fractions = NDArray[np.float32]

# What torch computes with in this process. Read once: beside a preview another thread would read, and restore, its one.
THREADS = torch.get_num_threads()


def draws(
    images: Images, labels: NDArray[np.int64], classes: int, steps: Sequence[Augmentation], seed: int, epochs: int
) -> tuple[Images, Fractions | None]:
    """The images uint8 (N, C, H, W) as the first batch of each epoch of a run with this seed.

    Returns uint8 (epochs, N, C, H, W), and where a step mixes images the shares of the classes, float32
    (epochs, N, classes).
    """
    batch, truth = torch.from_numpy(images), torch.from_numpy(labels)
    with _one_thread():
        results = [augment(batch, truth, classes, steps, _generator(seed, epoch)) for epoch in range(epochs)]
    fractions = torch.stack([mixed for _, mixed in results]).numpy() if results[0][1].dim() == 2 else None
    return _pixels(torch.stack([changed for changed, _ in results])), fractions


def stages(images: Images, steps: Sequence[Augmentation], seed: int, epoch: int = 0) -> Images:
    """The images before the first step and after each: uint8 (1 + steps, N, C, H, W), with the draws of that epoch."""
    batch, generator = torch.from_numpy(images), _generator(seed, epoch)
    results = [batch]
    with _one_thread():
        for step in steps:
            results.append(step.apply(results[-1], generator))
    return np.stack([_pixels(result) for result in results])


@contextmanager
def _one_thread() -> Iterator[None]:
    """Within it torch computes on one thread. For a few small images a second one gains a quarter when the computer is
    idle, but beside a training run each of hundreds of small operations waits for it: 1.7 s instead of 0.04 s."""
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(THREADS)


def _generator(seed: int, epoch: int) -> torch.Generator:
    return torch.Generator().manual_seed(mixed_seed(seed, epoch, 0))


def _pixels(images: Tensor) -> Images:
    """uint8 as it is, float 0..1 rounded to it."""
    return (images if images.dtype == torch.uint8 else (images * 255).round_().byte()).numpy()
