"""Where the pixels of a split lie while it is trained on: on the device, or in the memory map of the data set."""

from __future__ import annotations

import mmap

import torch
from torch import Tensor

from cnn_core.data.dataset import ImageDataset

DEVICE_SHARE = 0.5  # of a GPU's free memory that a split may take; the rest is for the network and its maps
CHUNK = 4096  # images copied to a GPU at once
RELEASE_BYTES = 64 * 2**20  # read from the map before its pages are given back; 5 times as many come in around them


class Pixels:
    """uint8 images and int64 labels of one split, by position in the split.

    `resident`: all of them are on the device. Else a batch is read from the memory map when it is asked for, and
    sent to a GPU from pinned memory, which does not wait for the GPU. Pages that were read count as resident
    memory of the process, so those of a large data set are given back from time to time.
    """

    def __init__(self, dataset: ImageDataset, split: str, device: torch.device):
        self.device, self._dataset = device, dataset
        self._images, self._labels = torch.from_numpy(dataset.images), torch.from_numpy(dataset.labels)
        self._indices = torch.from_numpy(dataset.splits[split])
        self._image_bytes = self._images[0].numel()
        self._read = 0
        self.resident = device.type != "cpu" and self._fits()
        if self.resident:
            self._images, self._labels = self._on_device(), self._labels[self._indices].to(device)

    def __len__(self) -> int:
        return len(self._indices)

    def take(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Images uint8 (B, C, H, W) and labels (B,) on the device. positions: int64 (B,) on the device if resident."""
        if self.resident:
            return self._images.index_select(0, positions), self._labels.index_select(0, positions)
        chosen = self._indices[positions]
        images, labels = self._images.index_select(0, chosen), self._labels.index_select(0, chosen)
        self._release(len(chosen))
        if self.device.type == "cuda":
            images, labels = images.pin_memory(), labels.pin_memory()
        return images.to(self.device, non_blocking=True), labels.to(self.device, non_blocking=True)

    def _fits(self) -> bool:
        if self.device.type != "cuda":
            return True  # Apple's GPUs share the memory of the computer
        free, _ = torch.cuda.mem_get_info(self.device)
        return len(self) * self._image_bytes <= DEVICE_SHARE * free

    def _on_device(self) -> Tensor:
        images = torch.empty(len(self), *self._images.shape[1:], dtype=torch.uint8, device=self.device)
        for start in range(0, len(self), CHUNK):
            images[start : start + CHUNK] = self._images[self._indices[start : start + CHUNK]].to(self.device)
        return images

    def _release(self, images: int) -> None:
        if self._dataset.images.nbytes <= RELEASE_BYTES:
            return
        self._read += images * self._image_bytes
        pages = getattr(self._dataset.images, "_mmap", None)
        if self._read > RELEASE_BYTES and pages is not None and hasattr(mmap, "MADV_DONTNEED"):
            pages.madvise(mmap.MADV_DONTNEED)  # nothing was written to them; the system may still have them cached
            self._read = 0
