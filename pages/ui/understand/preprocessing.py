"""From an uploaded image to what a network gets, shown step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from cnn_core.data.dataset import ImageDataset
from cnn_core.data.decode import how_scaled, original_size
from cnn_core.data.explore.background import Background, common_background, inversion_suits
from cnn_core.data.explore.statistics import sample
from pages.ui.address import query
from pages.ui.frame import words
from pages.ui.frame.errors import plain
from pages.ui.frame.images import data_uri, image_uri, pixels

if TYPE_CHECKING:
    from cnn_core.inference import Classifier

NO, MATCH, ALL = "no", "match", "all"
INVERT = {NO: "As is", MATCH: "Match", ALL: "Invert"}
FITTED = {"crop": "centre square", "pad": "bars added", "squash": "made square"}
OTHER: dict[Background | None, str] = {"dark": "light", "light": "dark"}
IMAGES = 1000  # training images whose borders are looked at


@dataclass(frozen=True, eq=False)
class Prepared:
    """An image on its way: as uploaded, resized to the network's size, and with light and dark as chosen."""

    name: str
    original: Image.Image
    fitted: NDArray[np.uint8]  # (C, H, W)
    seen: NDArray[np.uint8]  # (C, H, W): what the network gets, before it is normalised

    @property
    def inverted(self) -> bool:
        return self.seen is not self.fitted


def prepare(
    network: Classifier, dataset: ImageDataset | None, images: Sequence[tuple[str, Image.Image]]
) -> list[Prepared]:
    """Bring images to the network's size. What is inverted is chosen here, in ?invert=, and proposed where the
    background says so; without the data set nothing is proposed."""
    background = background_of(dataset)
    if background is None and query.asked("invert") == MATCH:
        query.put(invert=None)
    choice = query.choose(
        st.segmented_control,
        "Light and dark",
        [option for option in INVERT if option != MATCH or background],
        name="invert",
        format_func=INVERT.__getitem__,
        help="Many data sets show light things on black. To a network that learned from these, a white background is "
        "part of the thing. Match inverts the images whose background is the opposite of the training images'.",
    )
    if not images:
        return []
    fitted = np.stack([network.see(original) for _, original in images])
    suits = inversion_suits(fitted, background)
    if choice == NO and suits.any():
        _propose(background, [name for (name, _), suited in zip(images, suits, strict=True) if suited])
    turned = {NO: np.zeros_like(suits), MATCH: suits, ALL: np.ones_like(suits)}[choice]
    return [
        Prepared(name, original, image, 255 - image if turn else image)
        for (name, original), image, turn in zip(images, fitted, turned, strict=True)
    ]


def steps(prepared: Prepared, network: Classifier) -> None:
    """The image, what is cut and scaled from it, and the inverted image, side by side in equal squares."""
    channels, height, width = network.shape
    cut = f"{FITTED[network.fit]}, {width}×{height}, {'grey' if channels == 1 else 'colour'}"
    size, scaled = words.shape(original_size(prepared.original)), how_scaled(prepared.original)
    shown = [
        ("cnn-boxed", image_uri(prepared.original), f"the image, {size} pixels. {scaled}".strip()),
        ("", data_uri(pixels(prepared.fitted)), cut),
    ]
    if prepared.inverted:
        shown.append(("", data_uri(pixels(prepared.seen)), "inverted"))
    figures = "".join(
        f'<figure class="{kind}"><img alt="{escape(text, quote=True)}" src="{uri}">'
        f"<figcaption>{number} · {escape(text)}{_gets(number == len(shown))}</figcaption></figure>"
        for number, (kind, uri, text) in enumerate(shown, start=1)
    )
    st.html(f'<div class="cnn-gallery cnn-steps">{figures}</div>')


def _gets(last: bool) -> str:
    return "<br><b>the network gets this</b>" if last else ""


def _propose(background: Background | None, names: Sequence[str]) -> None:
    """Say which images have the other background, and offer to invert them."""
    who = plain(names[0]) if len(names) == 1 else words.count(len(names), "image")
    have, them = ("has", "it") if len(names) == 1 else ("have", "them")
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(
            f":material/contrast: **{who}** {have} a {OTHER[background]} background; the training images have a "
            f"{background} one.",
            width="stretch",
        )
        st.button(
            f"Invert {them}",
            icon=":material/contrast:",
            key="invert-them",
            type="primary",
            on_click=query.put,
            kwargs={"invert": MATCH},
        )


def background_of(dataset: ImageDataset | None) -> Background | None:
    """Whether things in the training images stand on a dark or a light background; None where that is not clear."""
    return None if dataset is None else _background(str(dataset.folder), dataset)


@st.cache_data(max_entries=8, show_spinner=False)
def _background(folder: str, _dataset: ImageDataset) -> Background | None:
    chosen = np.sort(sample(_dataset, "train", None, IMAGES))
    return common_background(np.asarray(_dataset.images[chosen]))
