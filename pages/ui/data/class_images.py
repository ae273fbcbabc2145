"""What the classes of a data set look like on average, and how many images each has."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnn_core.data.dataset import ImageDataset
from cnn_core.data.explore.statistics import class_counts, deviation_images, mean_images
from cnn_core.inspection.montage import montage
from pages.ui.charts import figures
from pages.ui.frame import layout, words
from pages.ui.frame.images import gallery

MOST = 1000  # images a class


def view(dataset: ImageDataset) -> None:
    """Class balance, the mean image of each class and the spread around it."""
    counts = class_counts(dataset)
    with layout.card("Class balance", "Images per class and split. A rare class is easily ignored by a network."):
        figures.class_balance(counts)
        st.caption(_balance(counts["train"].to_numpy()))
    means, deviations = _averages(dataset.content_hash, dataset)
    first = f"the first {MOST:,} drawn" if counts["train"].max() > MOST else "all"
    with layout.card("Mean image of each class", f"The mean of {first} of its training images."):
        gallery(list(means), dataset.classes, side=60)
        st.caption("Sharp where the images of a class agree. Two classes with the same mean are hard to tell apart.")
    with layout.card("Standard deviation within each class", "Pixel by pixel, over the same images."):
        gallery(list(_drawn(deviations)), dataset.classes, side=60)
        st.caption(
            f"Dark where the images of a class are similar, light where they differ: "
            f"0 to {deviations.max():.0f} grey values, one scale for all."
        )


@st.cache_data(max_entries=8, show_spinner="Averaging the images of each class …")
def _averages(content_hash: str, _dataset: ImageDataset) -> tuple[np.ndarray, np.ndarray]:
    return mean_images(_dataset, most=MOST), deviation_images(_dataset, most=MOST)


def _drawn(deviations: np.ndarray) -> np.ndarray:
    """float32 (N, H, W) -> uint8 (N, 3, H, W), all on one scale."""
    count, height, width = deviations.shape
    column = montage(deviations, columns=1, gap=0)
    return column.reshape(count, height, width, 3).transpose(0, 3, 1, 2)


def _balance(counts: np.ndarray) -> str:
    rarest, commonest = int(counts.min()), int(counts.max())
    if not rarest:
        return "A class has no training image at all: a network cannot learn it."
    if commonest <= 1.2 * rarest:
        return f"Balanced: {rarest:,} images of the rarest class to learn from, {commonest:,} of the commonest."
    most = commonest / counts.sum()
    return (
        f"The commonest class has {commonest / rarest:.1f} times the images of the rarest. "
        f"Always naming the commonest would be right in {words.percent(most, 0)} of the training images."
    )
