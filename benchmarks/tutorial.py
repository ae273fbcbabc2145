"""The loop that PyTorch tutorials print, to compare with: Dataset, transforms, DataLoader, plain fp32 steps."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import VisionDataset


class Pictures(VisionDataset):
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
    pictures = Pictures(images, labels, transform)
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
