"""Data sets on pages: opening one, fetching one with its progress, and its samples."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st

from cnn_core.data.dataset import SPLITS, ImageDataset
from cnn_core.data.library import is_ready, open_dataset, preparation
from cnn_core.data.source import DatasetSource
from cnn_core.data.sources import dataset_sources
from cnn_core.data.statistics import sample
from cnn_core.inspection.montage import enlarge
from cnn_core.jobs.prepare import preparation_error, prepare_in_background, preparing
from cnn_core.runs.tables import Run
from cnn_core.training.plan import starting_recipe
from pages.ui import figures, layout, words
from pages.ui.colours import palette
from pages.ui.errors import plain, say, spoken
from pages.ui.pictures import data_uri, gallery, ink, pixels, strip

ROWS = 10  # classes shown at once
PER_ROW = 12
MANY = 48  # images of one class
MOST_NUMBERS = 32  # pixels a side that are shown as numbers


@st.cache_resource(max_entries=8, show_spinner=False)
def _opened(name: str, image_size: int, folder: str) -> ImageDataset:
    return open_dataset(name, image_size)


def opened(name: str, image_size: int = 0) -> ImageDataset:
    """The imported data set, kept open. Raises DatasetUnavailableError when it is not here."""
    return _opened(name, image_size, str(open_dataset(name, image_size).folder))


def of_run(run: Run) -> ImageDataset:
    """The images a run learned from."""
    return opened(run.recipe.data.dataset, run.recipe.data.image_size)


@st.cache_data(max_entries=2, show_spinner=False)
def hero() -> np.ndarray:
    """Images of the bundled data set as ink on the page: uint8 (H, W, 4)."""
    dataset = opened(starting_recipe().data.dataset)
    chosen = sample(dataset, "train", None, 6 * 14, seed=3)
    return enlarge(ink(strip(dataset.images[chosen], 14), palette()[0]), 1200)


def facts(source: DatasetSource) -> None:
    figures.facts(
        {
            "Images": f"{source.images:,}",
            "Classes": str(source.classes),
            "Channels × height × width": words.shape((source.channels, source.size, source.size)),
        }
    )
    st.caption(f"Licence: {source.licence}")


def fetch(source: DatasetSource) -> None:
    """A button that fetches what has to be downloaded, and the progress of that, whoever asked for it."""
    with layout.card(f"{source.title} is not on this computer yet"):
        st.markdown(f"It is downloaded once, {source.download_megabytes:,} MB, from {_host(source)}.")
        if error := preparation_error(source.name):
            say(error)
        busy = preparing(source.name) or preparation(source.name) is not None
        if st.button("Get it", icon=":material/download:", type="primary", disabled=busy, key="get"):
            with spoken():
                prepare_in_background(source.name)
                st.rerun()
        if busy:
            st.fragment(_progress, run_every=1.0)(source.name)


def all_sources() -> None:
    """Every data set there is."""
    rows = [
        {
            "Data set": source.title,
            "Images": source.images,
            "Classes": source.classes,
            "Size": f"{source.size} × {source.size}, {'colour' if source.channels == 3 else 'grey'}",
            "Download": f"{source.download_megabytes:,} MB" if source.download_megabytes else "comes with it",
            "Here": is_ready(source.name),
            "Licence": source.licence,
            "What it is": source.description,
        }
        for source in dataset_sources
    ]
    st.dataframe(rows, hide_index=True, height="content", key="all-sources")


def samples(dataset: ImageDataset, split: str, label: int | None, page: int, seed: int) -> None:
    """A strip of images for each class of a page of ten, or many images of one class."""
    if label is not None:
        chosen = sample(dataset, split, label, MANY, seed)
        gallery(list(dataset.images[chosen]), [f"image {index}" for index in chosen])
        return
    first = (page - 1) * ROWS
    for position, name in list(enumerate(dataset.classes))[first : first + ROWS]:
        text, picture = st.columns([1, 6], vertical_alignment="center")
        text.markdown(f"**{plain(name)}**")
        picture.html(_strip(str(dataset.folder), split, position, seed, dataset))


def as_numbers(dataset: ImageDataset, index: int, channel: int, normalised: bool) -> None:
    """One image beside the numbers it is made of."""
    image = dataset.images[index]
    picture, numbers = st.columns([1, 2], gap="medium")
    with picture:
        st.image(enlarge(pixels(image), 448), width="stretch")
        st.markdown(
            f"**{plain(dataset.classes[dataset.labels[index]])}** · image {index}, {split_of(dataset, index)} split"
        )
    with numbers:
        values = image[channel] / 255.0
        shown = (values - dataset.mean[channel]) / dataset.std[channel] if normalised else image[channel]
        st.html(number_grid(image[channel], shown))
        st.caption(_tensor_sentence(dataset, channel, normalised))


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
    return f'<div class="cnn-numbers"><table style="--side:{side:.1f}px">{rows}</table></div>'


def _cell(grey: int, text: str) -> str:
    return f'<td style="background:#{grey:02x}{grey:02x}{grey:02x}"{" class=l" if grey > 127 else ""}>{text}'


def split_of(dataset: ImageDataset, index: int) -> str:
    return next(split for split in SPLITS if np.isin(index, dataset.splits[split]))


def _tensor_sentence(dataset: ImageDataset, channel: int, normalised: bool) -> str:
    shape = words.shape(dataset.shape)
    if not normalised:
        return f"The whole image is a tensor of {shape} (channels × height × width) whole numbers from 0 to 255."
    return (
        f"What the network gets: (value / 255 − {dataset.mean[channel]:.3f}) / {dataset.std[channel]:.3f}, "
        f"the channel's mean and standard deviation over the training images. A tensor of {shape}."
    )


@st.cache_data(max_entries=400, show_spinner=False)
def _strip(folder: str, split: str, label: int, seed: int, _dataset: ImageDataset) -> str:
    """A row of images of one class as HTML, one pixel a pixel: the style enlarges it."""
    chosen = sample(_dataset, split, label, PER_ROW, seed)
    address = data_uri(strip(_dataset.images[chosen], PER_ROW, gap=1 + _dataset.image_size // 24))
    name = escape(_dataset.classes[label], quote=True)
    return f'<div class="cnn-strip"><img alt="Images of {name}" src="{address}"></div>'


def _progress(name: str) -> None:
    """One look at an import under way; when it has ended the page is drawn anew."""
    with spoken():
        report = preparation(name)
        if report is None and not preparing(name):
            st.rerun()
        if report is None:
            st.progress(0.0, "Starting …")
        else:
            share = report.done / report.total if report.total else 0.0
            text = f"{report.stage.capitalize()}: {report.done:,.0f} of {report.total:,.0f} {report.unit}"
            st.progress(min(1.0, share), text)


def _host(source: DatasetSource) -> str:
    return source.homepage.split("/")[2]
