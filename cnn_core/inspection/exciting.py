"""The images that excite each map most and least."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnn_core.inspection.outputs import outputs
from cnn_core.models.network import Network

MOST = 9  # images kept of each map, and as many of the least

Order = Literal["most", "least"]


@dataclass(frozen=True, eq=False)
class Ranked:
    """Some images for every map or unit of an operation: arrays (maps, k), the first one first."""

    images: NDArray[np.int64]  # places in the order they were given
    values: NDArray[np.float32]  # the largest value of the map for the image, or the value of the unit
    rows: NDArray[np.int32]  # where in the map that is; 0 of a unit
    columns: NDArray[np.int32]

    def best(self, order: Order, k: int) -> Ranked:
        """Its first `k`, by falling ("most") or rising values. Alike ones stay in order; NaN comes last."""
        values = -self.values if order == "most" else self.values
        first = np.argsort(values, axis=1, kind="stable")[:, :k]
        return Ranked(
            np.take_along_axis(self.images, first, 1),
            np.take_along_axis(self.values, first, 1),
            np.take_along_axis(self.rows, first, 1),
            np.take_along_axis(self.columns, first, 1),
        )

    def and_then(self, other: Ranked) -> Ranked:
        """The images of both."""
        return Ranked(
            np.hstack([self.images, other.images]),
            np.hstack([self.values, other.values]),
            np.hstack([self.rows, other.rows]),
            np.hstack([self.columns, other.columns]),
        )


@dataclass(frozen=True, eq=False)
class Exciting:
    """Of one operation."""

    most: Ranked
    least: Ranked
    mean: NDArray[np.float64]  # (maps,): of the values of all images

    def strongest_maps(self, count: int) -> list[int]:
        """Numbers of the maps with the largest mean, in rising order."""
        order = np.argsort(-self.mean, kind="stable")[:count]
        return sorted(int(unit) for unit in order)


def exciting(
    network: Network, batches: Iterable[Tensor], addresses: Sequence[str], k: int = MOST
) -> dict[str, Exciting]:
    """Address -> the `k` images that excite each of its maps most and least, fewer where there are fewer, from one pass
    over `batches`, tensors (n, C, H, W) as the network takes them, on its device.

    A map counts by its largest value, the first place that has it; a unit of a row of numbers by its value. Where two
    values are equal the earlier one comes first. What is kept does not grow with the number of images. The network is
    only read, so any number of threads may share it. Raises ValueError without images, AttributeError for an address
    that is not in the network.
    """
    found: dict[str, Exciting] = {}
    seen = 0
    for images in batches:
        for address, peaks in outputs(network, images, addresses, _peaks).items():
            found[address] = _merged(found.get(address), _numbered(*peaks, seen), seen, k)
        seen += len(images)
    if not seen:
        raise ValueError("no images, none that excite")
    return found


def _peaks(output: Tensor) -> tuple[NDArray[np.float32], NDArray[np.int64], int]:
    """Of maps (n, C, H, W) the largest value and where it is, both (C, n), and the width; of (n, F) the values."""
    maps = output if output.ndim == 4 else output[:, :, None, None]
    largest = maps.flatten(2).max(2)
    values = largest.values.T.to("cpu", torch.float32, copy=True)
    return np.ascontiguousarray(values.numpy()), largest.indices.T.cpu().numpy(), maps.shape[3]


def _numbered(values: NDArray[np.float32], places: NDArray[np.int64], width: int, first: int) -> Ranked:
    images = np.broadcast_to(np.arange(first, first + values.shape[1]), values.shape)
    rows, columns = np.divmod(places, width)
    return Ranked(images, values, rows.astype(np.int32), columns.astype(np.int32))


def _merged(before: Exciting | None, new: Ranked, seen: int, k: int) -> Exciting:
    """What is found in `seen` images and those of one more batch."""
    total = new.values.sum(axis=1, dtype=np.float64)
    if before is None:
        return Exciting(new.best("most", k), new.best("least", k), total / new.values.shape[1])
    return Exciting(
        before.most.and_then(new).best("most", k),
        before.least.and_then(new).best("least", k),
        (before.mean * seen + total) / (seen + new.values.shape[1]),
    )
