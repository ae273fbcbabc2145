"""The pixels of a data set as numbers: their values, the brightness of images, and the size of the originals."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn_core.data.dataset import SPLITS, ImageDataset
from cnn_core.data.explore.original_sizes import OriginalSizes, original_sizes
from cnn_core.data.explore.tones import MOST, Tones, channel_histogram, drawn, mean_and_deviation, tones, usual_range
from pages.ui.address import query
from pages.ui.charts import figures, histograms
from pages.ui.data import sealed
from pages.ui.frame import layout, words
from pages.ui.frame.images import gallery

AT_EACH_END, MOST_SHOWN = 8, 24  # images
CHANNELS = {1: ("Grey",), 3: ("Red", "Green", "Blue")}


def view(dataset: ImageDataset) -> None:
    """Values, brightness and contrast of one split, and sizes of the originals."""
    with layout.card("Pixel values", "How many pixels have each value, channel by channel."):
        split = query.choose(st.segmented_control, "Split", SPLITS, name="split", format_func=words.label)
        positions = drawn(dataset, split)
        counts, found = _measured(dataset.content_hash, split, dataset)
        histograms.values(counts, CHANNELS[dataset.shape[0]])
        _channel_facts(counts)
        if len(positions) < len(dataset.splits[split]):
            st.caption(f"From {MOST:,} images drawn at random of {len(dataset.splits[split]):,}.")
    for quantity, (low, high) in {"Brightness": ("Darkest", "Brightest"), "Contrast": ("Flattest", "Harshest")}.items():
        with layout.card(quantity, HELP[quantity]):
            _extremes(dataset, found, quantity.lower(), low, high)
    if split == "test":
        sealed.asked(dataset)
    with layout.card("Size of the originals", "Before they were cut to a square and scaled."):
        _sizes(dataset, original_sizes(dataset))


HELP = {
    "Brightness": "Mean of all pixels of an image. Unusual: further from the median than 3.5 robust standard "
    "deviations, median ± 3.5 · MAD / 0.6745 (Iglewicz and Hoaglin 1993).",
    "Contrast": "Standard deviation of the pixels within an image. Near zero there is nothing to see in it.",
}


@st.cache_data(max_entries=12, show_spinner="Counting pixels …")
def _measured(content_hash: str, split: str, _dataset: ImageDataset) -> tuple[NDArray[np.int64], Tones]:
    positions = drawn(_dataset, split)
    return channel_histogram(_dataset, positions), tones(_dataset, positions)


def _channel_facts(counts: NDArray[np.int64]) -> None:
    mean, deviation = mean_and_deviation(counts)
    for place, name in enumerate(CHANNELS[len(counts)]):
        share = counts[place] / counts[place].sum()
        seen = np.flatnonzero(counts[place])
        figures.facts(
            {
                "Channel": name,
                "Mean": f"{mean[place]:.1f}",
                "Standard deviation": f"{deviation[place]:.1f}",
                "Range": f"{seen[0]} to {seen[-1]}",
                "Black, 0": words.percent(float(share[0])),
                "White, 255": words.percent(float(share[255])),
            }
        )


def _extremes(dataset: ImageDataset, found: Tones, quantity: str, least: str, most: str) -> None:
    """A histogram with the usual range, and the images at both of its ends."""
    amounts = getattr(found, quantity)
    low, high = usual_range(amounts)
    histograms.spread(amounts, low, high, quantity)
    if not sealed.shown(dataset, found.positions).all():
        st.caption(":material/lock: The images are shown once the test images are.")
        return
    for word, outside, order in ((least, amounts < low, amounts), (most, amounts > high, -amounts)):
        unusual = int(outside.sum())
        note = f" · :orange[{words.count(unusual, 'image')} outside of the usual range]" if unusual else ""
        st.markdown(f"**{word}**{note}")
        places = np.argsort(order, kind="stable")[: min(max(AT_EACH_END, unusual), MOST_SHOWN)]
        names = [dataset.classes[label] for label in dataset.labels[found.positions[places]]]
        captions = [f"{name} · {amount:.0f}" for name, amount in zip(names, amounts[places], strict=True)]
        gallery(list(dataset.images[found.positions[places]]), captions, side=72)
    st.caption(f"Usual are {max(low, 0):.0f} to {min(high, 255):.0f} grey values.")


def _sizes(dataset: ImageDataset, sizes: OriginalSizes | None) -> None:
    if sizes is None:
        st.caption(
            f"Every image came as {dataset.image_size} × {dataset.image_size} pixels, or its original size was not "
            "kept: it is known for images that people bring."
        )
        return
    left, right = st.columns(2)
    with left:
        histograms.spread(sizes.longer, -np.inf, np.inf, "longer side in pixels")
    with right:
        histograms.spread(sizes.aspect, -np.inf, np.inf, "width divided by height")
    figures.facts(
        {
            "Smallest": words.shape(sizes.smallest),
            "Largest": words.shape(sizes.largest),
            "Median longer side": f"{np.median(sizes.longer):.0f} px",
            "Enlarged": words.percent(float((sizes.shorter < dataset.image_size).mean())),
            "Not square": words.percent(float((np.abs(sizes.aspect - 1) > 0.02).mean())),
        }
    )
    st.caption("Enlarged images have fewer pixels than the network gets; images that are not square lose their edges.")
