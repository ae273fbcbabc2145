"""What the page Inside looks at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cnn_core.data.dataset import ImageDataset
from cnn_core.inference import Classifier
from cnn_core.runs.tables import Run


@dataclass(frozen=True)
class Look:
    """One run at one epoch, and one image."""

    run: Run
    epoch: int | None  # None is the best
    network: Classifier
    dataset: ImageDataset | None  # None where it is gone
    image: np.ndarray  # uint8 (C, H, W), as the network takes it
    label: int | None  # the true class where it is known
