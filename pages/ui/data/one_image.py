"""One image as numbers, and as the network gets it."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn_core.data.catalogue.versions import items
from cnn_core.data.dataset import ImageDataset
from cnn_core.data.explore.statistics import split_names
from cnn_core.inspection.montage import enlarge, montage
from cnn_core.normalisation import normalised
from pages.ui.address import query
from pages.ui.charts import figures
from pages.ui.data import sealed
from pages.ui.frame import layout, words
from pages.ui.frame.errors import plain
from pages.ui.frame.images import gallery, pixels

PHONE = 320  # CSS pixels a phone has for the numbers; beyond that it scrolls
MOST_NUMBERS = 32  # pixels a side that are shown as numbers
CHANNELS = {1: ("Grey",), 3: ("Red", "Green", "Blue")}


def view(dataset: ImageDataset) -> None:
    """The image of the address: its image, its numbers, its channels, and the tensor that is made of it."""
    names = CHANNELS[dataset.shape[0]]
    with layout.card("One image as numbers", "An image is a grid of numbers, one grid a channel."):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            last = len(dataset.labels) - 1
            index = st.number_input("Image", step=1, **query.mirror_number("image", 0, 0, last), width=140)
            channel = query.choose(st.segmented_control, "Channel", names, name="channel")
            values = query.choose(st.segmented_control, "Values", ("Pixels", "Normalised"), name="values")
        if not sealed.shown(dataset, np.array([index])).all():
            st.caption(f"Image {index} is a test image.")
            sealed.asked(dataset)
            return
        _as_numbers(dataset, index, names.index(channel), values == "Normalised")
    with layout.card("As the network gets it", "Training may first shift, flip or colour it at random."):
        _as_tensor(dataset, np.asarray(dataset.images[index]))
        steps = {"data.dataset": dataset.name, "first": str(index)}
        layout.links({"augmentation": ("Before and after each step", ":material/auto_fix_high:")}, **steps)


def _as_numbers(dataset: ImageDataset, index: int, channel: int, as_fed: bool) -> None:
    """One image beside the numbers it is made of."""
    image = np.asarray(dataset.images[index])
    left, numbers = st.columns([1, 2], gap="medium")
    with left:
        st.image(enlarge(pixels(image), 448), width="stretch", alt=f"Image {index}")
        split = split_names(dataset)[index]
        st.markdown(f"**{plain(dataset.classes[dataset.labels[index]])}** · image {index}, {split} split")
        if origin := _origin(dataset, index):
            st.caption(origin)
    with numbers:
        shown = normalised(image, dataset.mean, dataset.std) if as_fed else image
        st.html(number_grid(image[channel], shown[channel]))
        cut = f" Shown are the middle {MOST_NUMBERS} × {MOST_NUMBERS}." if dataset.image_size > MOST_NUMBERS else ""
        st.caption(_tensor_sentence(dataset, channel, as_fed) + cut)


def _as_tensor(dataset: ImageDataset, image: NDArray[np.uint8]) -> None:
    """Its channels apart as grey images, then normalised on a scale that shows zero, and the tensor's numbers."""
    names, values = CHANNELS[len(image)], normalised(image, dataset.mean, dataset.std)
    drawn = [montage(channel[None], scale="diverging").transpose(2, 0, 1) for channel in values]
    raw = [f"{name}, {channel.min()} to {channel.max()}" for name, channel in zip(names, image, strict=True)]
    fed = [f"normalised, {channel.min():.2f} to {channel.max():.2f}".replace("-", "−") for channel in values]
    if len(names) == 1:
        gallery([image, *drawn], [*raw, *fed], side=96)
    else:
        gallery(list(image[:, None]), raw, side=96)
        gallery(drawn, fed, side=96)
    st.caption("Above zero is blue, below is orange: zero is the mean of the training images.")
    figures.facts(
        {
            "Channels × height × width": words.shape(dataset.shape),
            "Numbers": f"{image.size:,}",
            "Kind of number": "float32",
            "Mean": f"{values.mean():.2f}".replace("-", "−"),
            "Standard deviation": f"{values.std():.2f}",
        }
    )


def number_grid(values: np.ndarray, shown: np.ndarray) -> str:
    """(H, W) `values` 0…255 as grey cells with the numbers `shown` in them; of a large image the middle part."""
    top, left = (max(0, (side - MOST_NUMBERS) // 2) for side in values.shape)
    part = np.s_[top : top + MOST_NUMBERS, left : left + MOST_NUMBERS]
    text = (lambda number: f"{number:.1f}") if shown.dtype.kind == "f" else str
    rows = "".join(
        f"<tr>{''.join(_cell(int(grey), text(number)) for grey, number in zip(*pair, strict=True))}</tr>"
        for pair in zip(values[part], shown[part], strict=True)
    )
    side = min(40.0, 440 / values[part].shape[1])
    wide = " wide" if side * values[part].shape[1] > PHONE else ""
    return f'<div class="cnn-numbers{wide}"><table style="--side:{side:.1f}px">{rows}</table></div>'


def _cell(grey: int, text: str) -> str:
    return f'<td style="background:#{grey:02x}{grey:02x}{grey:02x}"{" class=l" if grey > 127 else ""}>{text}'


def _origin(dataset: ImageDataset, index: int) -> str:
    """The file an image came from and its size there, where these are known."""
    origins = items(dataset.folder)
    if not origins["file"]:
        return ""
    return plain(f"{origins['file'][index]}, {origins['width'][index]} × {origins['height'][index]} pixels")


def _tensor_sentence(dataset: ImageDataset, channel: int, as_fed: bool) -> str:
    shape = words.shape(dataset.shape)
    if not as_fed:
        return f"The whole image is a tensor of {shape} (channels × height × width) whole numbers from 0 to 255."
    return (
        f"What the network gets: (value / 255 − {dataset.mean[channel]:.3f}) / {dataset.std[channel]:.3f}, "
        f"the channel's mean and standard deviation over the training images. A tensor of {shape}."
    )
