"""The sizes that the images of a data set had before the import."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnn_core.data.catalogue.versions import items
from cnn_core.data.dataset import ImageDataset


@dataclass(frozen=True, eq=False)
class OriginalSizes:
    """In pixels, in the order of the data set."""

    width: NDArray[np.int64]  # (N,)
    height: NDArray[np.int64]

    @property
    def longer(self) -> NDArray[np.int64]:
        return np.maximum(self.width, self.height)

    @property
    def shorter(self) -> NDArray[np.int64]:
        return np.minimum(self.width, self.height)

    @property
    def aspect(self) -> NDArray[np.float64]:
        """Width divided by height: above 1 is lying, below 1 standing."""
        return self.width / self.height

    def at(self, place: int) -> tuple[int, int]:
        """(width, height) of one image."""
        return int(self.width[place]), int(self.height[place])

    @property
    def smallest(self) -> tuple[int, int]:
        """(width, height) of the image with the fewest pixels."""
        return self.at(int((self.width * self.height).argmin()))

    @property
    def largest(self) -> tuple[int, int]:
        return self.at(int((self.width * self.height).argmax()))


def original_sizes(dataset: ImageDataset) -> OriginalSizes | None:
    """None where they are not known of every image."""
    origins = items(dataset.folder)
    width, height = (np.asarray(origins.get(name, ()), np.int64) for name in ("width", "height"))
    if not len(dataset.labels) == len(width) == len(height) or min(width.min(), height.min()) < 1:
        return None
    return OriginalSizes(width, height)
