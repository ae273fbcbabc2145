"""The loop that PyTorch tutorials print, to compare with: Dataset, transforms, DataLoader, plain fp32 steps.

`python tutorial.py NETWORK IMAGES.npy LABELS.npy AUGMENTED SECONDS` measures once for each line it reads and prints
images per second. It is a program of its own, which imports nothing of the product: the product's settings for torch's
threads and memory must not reach it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import VisionDataset

BATCH, WORKERS = 128, (0, 2)


def simple_cnn() -> nn.Module:
    """For 3×32×32: three convolutions, 156,074 parameters."""
    return nn.Sequential(
        *(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(1024, 128), nn.ReLU(), nn.Linear(128, 10)),
    )


def one_conv_net() -> nn.Module:
    """For 3×32×32: one convolution, 296,130 parameters."""
    return nn.Sequential(
        *(nn.Conv2d(3, 18, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(4608, 64), nn.ReLU(), nn.Linear(64, 10)),
    )


def two_conv_net() -> nn.Module:
    """For 1×28×28: two convolutions and a sigmoid at the end, 11,252 parameters."""
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5), nn.MaxPool2d(2), nn.Conv2d(6, 10, 5), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(160, 56), nn.ReLU(), nn.Linear(56, 10), nn.Sigmoid()),
    )


NETWORKS = {network.__name__: network for network in (simple_cnn, one_conv_net, two_conv_net)}


class Images(VisionDataset):
    """uint8 (N, C, H, W) handed out one by one as PIL images, as torchvision's CIFAR10 and FashionMNIST do."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, transform: Callable):
        super().__init__(root=".", transform=transform)
        self.data = np.ascontiguousarray(images.transpose(0, 2, 3, 1).squeeze())
        self.targets = labels.tolist()

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int):
        image, target = Image.fromarray(self.data[index]), self.targets[index]
        return self.transform(image), target


def loader(images: np.ndarray, labels: np.ndarray, augmented: bool, batch_size: int, workers: int) -> DataLoader:
    """The tutorial's augmentations: flip 0.5, rotation 15 degrees, brightness and contrast 0.1."""
    steps = [
        transforms.RandomHorizontalFlip(),
        transforms.RandomRotation(15),
        transforms.ColorJitter(brightness=0.1, contrast=0.1),
    ]
    transform = transforms.Compose([*(steps if augmented else []), transforms.ToTensor()])
    pictures = Images(images, labels, transform)
    return DataLoader(
        pictures, batch_size=batch_size, shuffle=True, num_workers=workers, persistent_workers=workers > 0
    )


def images_per_second(network: nn.Module, batches: DataLoader, seconds: float) -> float:
    """Train with Adam for about `seconds` after a warm-up; counting loss and correct answers as tutorials do."""
    optimiser, criterion = torch.optim.Adam(network.parameters(), lr=1e-3), nn.CrossEntropyLoss()
    network.train()
    done, correct, running, began = 0, 0, 0.0, None
    warm_up = 5
    while True:
        for inputs, labels in batches:
            optimiser.zero_grad()
            outputs = network(inputs)
            loss = criterion(outputs, labels)
            loss.backward()
            optimiser.step()
            running += loss.item()
            correct += (outputs.argmax(1) == labels).sum().item()
            if warm_up:
                warm_up -= 1
                began = time.perf_counter()
                continue
            done += len(labels)
            if time.perf_counter() - began > seconds:
                return done / (time.perf_counter() - began)


def main() -> None:
    name, images, labels, augmented, seconds = sys.argv[1:]
    pictures, targets = np.load(images), np.load(labels)
    loaders = [loader(pictures, targets, augmented == "True", BATCH, workers) for workers in WORKERS]
    for _ in sys.stdin:
        speeds = [images_per_second(NETWORKS[name](), batches, float(seconds)) for batches in loaders]
        print(max(speeds), flush=True)


if __name__ == "__main__":
    main()
