"""Images for the tests of augmentation, and torchvision's operation on each of them by itself."""

from collections.abc import Callable

import torch
from torch import Tensor


def pictures(count: int = 6, channels: int = 3, size: int = 20) -> Tensor:
    return torch.rand(count, channels, size, size, generator=torch.Generator().manual_seed(1))


def per_image(images: Tensor, values: Tensor, operation: Callable) -> Tensor:
    return torch.stack([operation(image, value) for image, value in zip(images, values.tolist(), strict=True)])


def differing(ours: Tensor, theirs: Tensor) -> float:
    """Share of the values that are not the same."""
    return (ours != theirs).float().mean().item()
