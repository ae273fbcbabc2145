"""Batches on their way to a GPU: a few page-locked buffers, copied from beside what the GPU computes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor

BUFFERS = 3  # one the GPU learns from, one on its way there, one being filled

T = TypeVar("T")


class Event(Protocol):
    """A point in a GPU's work, such as torch.cuda.Event."""

    def record(self) -> None: ...

    def synchronize(self) -> None: ...


class Ring(Generic[T]):
    """Buffers given out in turn, each again only when the GPU is done with all that was launched with it.

    So whoever launches gets at most as many batches ahead of the GPU as there are buffers.
    """

    def __init__(self, buffers: Sequence[T], event: Callable[[], Event]):
        self._buffers, self._event = buffers, event
        self._done: list[Event | None] = [None] * len(buffers)
        self._given = -1

    def next(self) -> T:
        """The next buffer; what was launched until now is taken to be all that uses the one given out before."""
        if self._given >= 0:
            done = self._done[self._given % len(self._buffers)] = self._event()
            done.record()
        self._given += 1
        slot = self._given % len(self._buffers)
        before = self._done[slot]
        if before is not None:
            before.synchronize()
        return self._buffers[slot]


class PinnedSender:
    """Sends chosen rows of images uint8 (N, C, H, W) and labels int64 (N,) that lie in memory to an NVIDIA GPU.

    The copy runs on a stream of its own, so that of the next batch does not wait for the step that is computed now.
    """

    def __init__(self, images: Tensor, labels: Tensor, device: torch.device):
        self._images, self._labels, self._device = images, labels, device
        self._size = 0

    def send(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Rows `chosen`, int64 (B,) on the CPU, for the current stream. Waits only for the batch 3 before."""
        if len(chosen) > self._size:
            self._allocate(len(chosen))
        images, labels = (buffer[: len(chosen)] for buffer in self._ring.next())
        torch.index_select(self._images, 0, chosen, out=images)
        torch.index_select(self._labels, 0, chosen, out=labels)
        computing, copying = torch.cuda.current_stream(self._device), _copying(self._device)
        with torch.cuda.stream(copying):
            sent = images.to(self._device, non_blocking=True), labels.to(self._device, non_blocking=True)
        computing.wait_stream(copying)
        for tensor in sent:
            tensor.record_stream(computing)  # its memory may be used again once this stream is past it
        return sent

    def _allocate(self, size: int) -> None:
        self._size = size
        shape = (size, *self._images.shape[1:])
        buffers = [
            (
                torch.empty(shape, dtype=torch.uint8, pin_memory=True),
                torch.empty(size, dtype=torch.int64, pin_memory=True),
            )
            for _ in range(BUFFERS)
        ]
        self._ring = Ring(buffers, torch.cuda.Event)


@lru_cache(maxsize=64)
def _copying(device: torch.device) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)  # one a process: memory freed on a stream is used again only on that stream
