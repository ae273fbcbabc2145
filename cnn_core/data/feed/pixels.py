"""Where the pixels of a split lie while it is trained on: on the device, or in the memory map of the data set."""

from __future__ import annotations

import mmap
import weakref
from collections import Counter

import torch
from torch import Tensor

from cnn_core.data.dataset import ImageDataset
from cnn_core.data.feed.pinned import PinnedSender

DEVICE_FRACTION = 0.5  # of a GPU's memory that all splits may take together; the rest is for the network and its maps
CHUNK = 4096  # images copied to a GPU at once
RELEASE_BYTES = 64 * 2**20  # read from the map before its pages are given back; 5 times as many come in around them

_resident: Counter[torch.device] = Counter()  # bytes of all splits of this process that lie on each GPU


def fits(wanted: int, resident: int, free: int) -> bool:
    """Whether `wanted` bytes may join the `resident` ones of other splits on a GPU with `free` bytes left."""
    return resident + wanted <= DEVICE_FRACTION * (resident + free)


def free_bytes(device: torch.device) -> int:
    """Memory of an NVIDIA GPU that this process may still use."""
    free, _ = torch.cuda.mem_get_info(device)
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)  # of earlier runs
    return free + kept


class Pixels:
    """uint8 images and int64 labels of one split, by position in the split.

    `resident`: all of them are on the device. Else a batch is read from the memory map when it is asked for, and
    sent to a GPU from pinned memory while the GPU computes the batch before. Pages that were read count as resident
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
            _resident[device] += self._bytes
            weakref.finalize(self, _resident.subtract, {device: self._bytes})
        elif device.type == "cuda":
            self._sender = PinnedSender(self._images, self._labels, device)

    def __len__(self) -> int:
        return len(self._indices)

    @property
    def _bytes(self) -> int:
        return len(self) * self._image_bytes

    def take(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Images uint8 (B, C, H, W) and labels (B,) on the device. positions: int64 (B,) on the device if resident."""
        if self.resident:
            return self._images.index_select(0, positions), self._labels.index_select(0, positions)
        chosen = self._indices[positions]
        if self.device.type == "cuda":
            batch = self._sender.send(chosen)
        else:
            batch = self._images.index_select(0, chosen), self._labels.index_select(0, chosen)
        self._release(len(chosen))
        return batch

    def _fits(self) -> bool:
        if self.device.type != "cuda":
            return True  # Apple's GPUs share the memory of the computer
        return fits(self._bytes, _resident[self.device], free_bytes(self.device))

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
