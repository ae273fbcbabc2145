"""The images that excite each map most and least."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnn_core.inspection.outputs import outputs
from cnn_core.models.network import Network

MOST = 9  # images kept of each map, and as many of the least


@dataclass(frozen=True)
class Exciting:
    """Of one operation, by map or unit: arrays (maps, k), the most or least exciting first."""

    most: NDArray[np.int64]  # places of the images in the order they were given
    least: NDArray[np.int64]
    values: NDArray[np.float32]  # (maps, images): the largest value of the map for each image, or the unit's value
    places: NDArray[np.int32]  # (maps, images): where it is, row · width + column; 0 of a unit
    width: int  # of the maps; 1 of a unit

    def value(self, unit: int, image: int) -> float:
        return float(self.values[unit, image])

    def place(self, unit: int, image: int) -> tuple[int, int]:
        """(row, column) of the largest value of a map for an image."""
        row, column = divmod(int(self.places[unit, image]), self.width)
        return row, column

    def strongest_maps(self, count: int) -> list[int]:
        """Numbers of the maps with the largest mean over the images, in rising order."""
        order = np.argsort(-self.values.mean(1), kind="stable")[:count]
        return sorted(int(unit) for unit in order)


def exciting(
    network: Network, batches: Iterable[Tensor], addresses: Sequence[str], k: int = MOST
) -> dict[str, Exciting]:
    """Address -> the images that excite each of its maps most and least, from one pass over `batches`, tensors
    (n, C, H, W) as the network takes them. A map counts by its largest value. Where two are alike the earlier image
    comes first. The network is only read. Raises ValueError without images."""
    found: dict[str, list[tuple[Tensor, Tensor, int]]] = {address: [] for address in addresses}
    for images in batches:
        for address, part in outputs(network, images, addresses, _peaks).items():
            found[address].append(part)
    if addresses and not found[addresses[0]]:
        raise ValueError("no images, none that excite")
    return {address: _ranked(parts, k) for address, parts in found.items()}


def _peaks(output: Tensor) -> tuple[Tensor, Tensor, int]:
    """The largest value of each map of (n, C, H, W), where it is, and the width; of (n, F) the values themselves."""
    if output.ndim == 2:
        return output.to("cpu", torch.float32, copy=True), torch.zeros(output.shape, dtype=torch.int64), 1
    largest = output.flatten(2).max(2)
    return largest.values.to("cpu", torch.float32, copy=True), largest.indices.cpu(), output.shape[3]


def _ranked(parts: Sequence[tuple[Tensor, Tensor, int]], k: int) -> Exciting:
    values = np.concatenate([part[0].numpy() for part in parts]).T
    places = np.concatenate([part[1].numpy() for part in parts]).T
    order = np.nan_to_num(values)
    most, least = (np.argsort(sign * order, axis=1, kind="stable")[:, :k] for sign in (-1, 1))
    return Exciting(most, least, np.ascontiguousarray(values), places.astype(np.int32), parts[0][2])
