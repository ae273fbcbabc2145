"""Many rows of float32 numbers that are written once and read often: on the device, in memory, or in a file."""

from __future__ import annotations

import math
import mmap
import os
import tempfile
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from cnn_core.data.feed.pixels import RELEASE_BYTES, free_bytes
from cnn_core.settings import settings

MEMORY_BYTES = 256_000_000  # all rows of a run that may lie in memory; more of them lie in a file
DEVICE_FRACTION = 0.25  # of the memory a GPU has left
SCRATCH = "scratch"
Place = Literal["device", "memory", "file"]


def place_for(size: int, device: torch.device) -> Place:
    """Where `size` bytes go."""
    if device.type == "cuda" and size <= DEVICE_FRACTION * free_bytes(device):
        return "device"
    return "memory" if size <= MEMORY_BYTES else "file"


class Rows:
    """float32 (count, *shape). A file is one without a name in the data folder: it goes with the process, whatever ends
    that. Raises OSError where the disk has no room for it."""

    def __init__(self, count: int, shape: tuple[int, ...], device: torch.device, place: Place):
        self.device = device
        self.lie_on = device if place == "device" else torch.device("cpu")
        self._map: Any = None
        self._touched = 0
        if place == "file":
            self._map = _mapped(count, shape)
            self._rows = torch.from_numpy(self._map)
        else:
            self._rows = torch.empty(count, *shape, device=self.lie_on)

    def put(self, positions: Tensor, rows: Tensor) -> None:
        """Rows (B, *shape) of any floating type and device; positions int64 (B,) on `lie_on`."""
        self._rows.index_copy_(0, positions, rows.to(self.lie_on, torch.float32))
        self._release(len(rows))

    def take(self, positions: Tensor) -> Tensor:
        """float32 (B, *shape) on the device; positions int64 (B,) on `lie_on`."""
        rows = self._rows.index_select(0, positions).to(self.device)
        self._release(len(rows))
        return rows

    def _release(self, rows: int) -> None:
        """Give back the pages of the file from time to time, as those count as memory of this process; what was
        written to them is in the system's cache or on the disk."""
        if self._map is None or not hasattr(mmap, "MADV_DONTNEED"):
            return
        self._touched += rows * self._rows[0].numel() * self._rows.element_size()
        if self._touched > RELEASE_BYTES:
            self._map._mmap.madvise(mmap.MADV_DONTNEED)
            self._touched = 0


def _mapped(count: int, shape: tuple[int, ...]) -> np.memmap[Any, np.dtype[np.float32]]:
    folder = settings().home / SCRATCH
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        _reserve(file.fileno(), count * math.prod(shape) * 4)
        return np.memmap(file, np.float32, "r+", shape=(count, *shape))


def _reserve(file: int, size: int) -> None:
    """Take the room now: on a disk that fills up later, writing to a map would end the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
        return
    zeros = bytes(2**20)
    for start in range(0, size, len(zeros)):
        os.write(file, zeros[: size - start])
