"""What is drawn for a batch: one value per image, from the generator alone and on its device."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Generator, Tensor

QUANTILES = 1024  # steps of the table that turns uniform draws into Beta draws


@lru_cache(maxsize=64)
def constant(values: tuple[float, ...], device: torch.device) -> Tensor:
    """float32 (len(values),), made once: sending numbers to a GPU waits for it."""
    return torch.tensor(values, dtype=torch.float32, device=device)


def to_float(images: Tensor) -> Tensor:
    """uint8 0..255 as float32 0..1; float images as they are."""
    return images if images.is_floating_point() else images.float().div_(255)


def uniform(images: Tensor, generator: Generator, *shape: int) -> Tensor:
    """float32 (N, *shape), uniform in 0..1."""
    return torch.rand(len(images), *shape, generator=generator, device=images.device)


def between(images: Tensor, low: float, high: float, generator: Generator) -> Tensor:
    """float32 (N,), uniform in low..high."""
    return uniform(images, generator) * (high - low) + low


def chance(images: Tensor, probability: float, generator: Generator) -> Tensor:
    """bool (N,), True with the given probability."""
    return uniform(images, generator) < probability


def factors(images: Tensor, strength: float, generator: Generator) -> Tensor:
    """float32 (N,), uniform in 1 ± strength and at least 0."""
    return between(images, max(0.0, 1 - strength), 1 + strength, generator)


def whole_numbers(images: Tensor, limit: int, count: int, generator: Generator) -> Tensor:
    """int64 (N, count), uniform in -limit..limit."""
    return torch.randint(-limit, limit + 1, (len(images), count), generator=generator, device=images.device)


def places(images: Tensor, generator: Generator) -> Tensor:
    """int64 (N, 2): a row and a column inside the image."""
    size = constant(tuple(images.shape[-2:]), images.device)
    return (uniform(images, generator, 2) * size).long()


def order(images: Tensor, generator: Generator, count: int | None = None) -> Tensor:
    """int64 (count or N,): a random order. By sorting, as torch.randperm may wait for a GPU."""
    draws = torch.rand(count or len(images), generator=generator, device=images.device)
    return draws.argsort(stable=True)


def beta(images: Tensor, alpha: float, generator: Generator) -> Tensor:
    """float32 (N,), from Beta(alpha, alpha).

    By the inverse of its distribution function: torch's own Beta takes no generator, and methods that reject draws
    have to wait for a GPU to learn how many were kept.
    """
    table = _beta_quantiles(alpha, images.device)
    place = uniform(images, generator) * QUANTILES
    below = place.long().clamp_(max=QUANTILES - 1)
    return torch.lerp(table[below], table[below + 1], place - below)


@lru_cache(maxsize=16)
def _beta_quantiles(alpha: float, device: torch.device) -> Tensor:
    """float32 (QUANTILES + 1,): where the distribution function of Beta(alpha, alpha) is 0, 1/1024, … 1."""
    import numpy as np
    from scipy.special import betaincinv  # 0.2 s that runs without mixing need not wait for

    quantiles = betaincinv(alpha, alpha, np.linspace(0, 1, QUANTILES + 1))
    return torch.tensor(quantiles, dtype=torch.float32, device=device)


def mixed_seed(*numbers: int) -> int:
    """A 63-bit seed from small integers, by the mixing steps of SplitMix64."""
    state = 0
    for number in numbers:
        state = (state + number + 0x9E3779B97F4A7C15) & (2**64 - 1)
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & (2**64 - 1)
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & (2**64 - 1)
        state ^= state >> 31
    return state >> 1
