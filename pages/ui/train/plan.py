"""What will be trained: four compact parts, each a card that says what is chosen and opens its editor."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
import streamlit as st

from cnn_core.data.catalogue.library import is_ready
from cnn_core.data.catalogue.registry import dataset_sources
from cnn_core.data.sources.source import DatasetSource
from cnn_core.errors import PlaygroundError
from cnn_core.models.presets import title_of
from cnn_core.models.summary import LayerSummary, totals
from cnn_core.planning.recipe import input_of
from cnn_core.recipe import Recipe
from cnn_core.starting_weights import FRESH
from pages.ui.address.recipe import Shown, query_of
from pages.ui.charts.network import network_sketch
from pages.ui.charts.schedule import rate_sketch
from pages.ui.data import datasets
from pages.ui.forms import augmentation, starting, typed
from pages.ui.forms.recipe import part_form, part_help
from pages.ui.frame import words
from pages.ui.frame.colours import palette
from pages.ui.frame.images import data_uri, strip, svg_uri

PAGES = Path(__file__).parents[2]
TITLES = {
    "data": ("Data", ":material/photo_library:"),
    "augment": ("Augmentation", ":material/auto_fix_high:"),
    "network": ("Network", ":material/account_tree:"),
    "training": ("Training", ":material/school:"),
}
EDITORS = {  # part -> page, and the words of the link to it
    "data": ("data", "Look at these images"),
    "augment": ("augmentation", "See what the steps do"),
    "network": ("network", "Shape it layer by layer"),
}
THUMBNAILS, THUMBNAIL_SIDE = 6, 32  # how many images, and the least side in pixels they are thinned out to
MOST_CHIPS = 4


def cards(recipe: Recipe, shown: Shown, rows: Sequence[LayerSummary]) -> None:
    """Data, augmentation, network and training. `rows`: the network's table, empty where it cannot work."""
    typed.begin()
    with st.container(key="parts"):
        with _card("data", recipe, shown):
            _data(recipe)
        with _card("augment", recipe, shown):
            _augmentation(recipe)
        with _card("network", recipe, shown):
            _network(recipe, rows)
        with _card("training", recipe, shown):
            _training(recipe)


def _card(part: str, recipe: Recipe, shown: Shown) -> st.delta_generator.DeltaGenerator:
    """The head of a card opens its editor; use what is returned in a `with`."""
    title, icon = TITLES[part]
    card = st.container(border=True, height="stretch", gap="xsmall", key=f"part-{part}")
    with card, st.popover(title, icon=icon, type="tertiary", width="stretch", key=f"edit-{part}"):
        st.markdown(f"{icon} **{title}**", help=part_help(part))
        part_form(part, recipe, shown)
        _link(part, recipe)
    return card


def _link(part: str, recipe: Recipe) -> None:
    """To the page that shows more of this part, where there is one."""
    page, text = EDITORS.get(part, ("", ""))
    if page and (PAGES / f"{page}.py").is_file():
        query = {"dataset": recipe.data.dataset} if part == "data" else query_of(recipe)
        st.page_link(f"pages/{page}.py", label=text, icon=":material/arrow_forward:", query_params=query)


def _data(recipe: Recipe) -> None:
    source = dataset_sources.get(recipe.data.dataset)
    _name(source.title)
    if uri := _thumbnails(source):
        st.html(f'<img class="cnn-part" alt="One image of each of the first classes" src="{uri}">')
    else:
        size = words.size(source.download_megabytes * 1e6)
        st.html(f'<div class="cnn-chips cnn-part"><span>Not here yet: {size}</span></div>')
    (_, height, width), classes = input_of(recipe)
    _note(f"{source.images:,} images · {words.count(classes, 'class')} · {height} × {width}")


def _thumbnails(source: DatasetSource) -> str:
    """A row of images, "" where they would have to be fetched first or cannot be read."""
    try:
        if source.download_megabytes and not is_ready(source.name):
            return ""
        dataset = datasets.opened(source.name)
        return _strip(source.name, dataset.content_hash)
    except PlaygroundError:  # said where it matters: by the run, and on the page Data
        return ""


@st.cache_data(max_entries=64, show_spinner=False)
def _strip(name: str, _version: str) -> str:
    """The first training image of each of the first classes, thinned out, as an address."""
    dataset = datasets.opened(name)
    train = dataset.splits["train"]
    _, first = np.unique(dataset.labels[train], return_index=True)
    step = max(1, dataset.image_size // (2 * THUMBNAIL_SIDE))
    images = np.asarray(dataset.images[train[first[:THUMBNAILS]], :, ::step, ::step])
    if images.shape[1] == 1:
        images = images.repeat(3, axis=1)
    return data_uri(strip(images, columns=THUMBNAILS))


def _augmentation(recipe: Recipe) -> None:
    _name(augmentation.title(recipe))
    steps = [augmentation.short(step) for step in recipe.augment]
    more = [f"+ {len(steps) - MOST_CHIPS + 1} more"] if len(steps) > MOST_CHIPS else []
    shown = (steps[: MOST_CHIPS - 1] + more if more else steps) or ["Images as they are"]
    st.html('<div class="cnn-chips cnn-part">' + "".join(f"<span>{escape(text)}</span>" for text in shown) + "</div>")
    _note(f"{words.count(len(steps), 'step')}, training images only" if steps else "No steps")


def _network(recipe: Recipe, rows: Sequence[LayerSummary]) -> None:
    _name(title_of(recipe.network))
    if not rows:
        st.html('<div class="cnn-chips cnn-part"><span class="wrong">Cannot work, see below</span></div>')
        return
    st.html(f'<img class="cnn-part" alt="" src="{svg_uri(network_sketch(rows, input_of(recipe)[0]))}">')
    start = "" if recipe.network.start == FRESH else f" · starts from {starting.short(recipe.network.start)}"
    _note(f"{len(rows)} layers · {words.compact(totals(rows).parameters)} parameters{start}")


def _training(recipe: Recipe) -> None:
    training = recipe.training
    _name(f"{words.count(training.epochs, 'epoch')}, batches of {training.batch_size:,}")
    uri = svg_uri(rate_sketch(training, palette()[0]))
    st.html(f'<img class="cnn-part cnn-rate" alt="Learning rate over the run" src="{uri}">')
    schedule = words.option(training.schedule).lower()
    _note(f"{words.option(training.optimiser)} at {words.value(training.learning_rate)} · {schedule} rate")


def _name(text: str) -> None:
    st.html(f'<div class="cnn-part-name" title="{escape(text, quote=True)}">{escape(text)}</div>')


def _note(text: str) -> None:
    st.html(f'<div class="cnn-part-note" title="{escape(text, quote=True)}">{escape(text)}</div>')
