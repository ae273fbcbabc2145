"""Data sets on pages: opening one, and fetching one with its progress."""

from __future__ import annotations

import streamlit as st

from cnn_core.data.catalogue.library import is_ready, open_dataset, preparation, version_of
from cnn_core.data.catalogue.registry import dataset_sources
from cnn_core.data.catalogue.resplit import with_validation
from cnn_core.data.dataset import ImageDataset
from cnn_core.data.sources.source import DatasetSource
from cnn_core.jobs.tasks.prepare_dataset import PrepareRequest, preparation_of
from cnn_core.recipe import Recipe
from cnn_core.runs.tables import Run
from cnn_core.settings import settings
from pages.ui.charts import figures
from pages.ui.frame import layout, tasks, words
from pages.ui.frame.errors import errors_shown, plain, show_error


@st.cache_resource(max_entries=8, show_spinner=False)
def _opened(name: str, image_size: int, validation_fraction: float, version: str) -> ImageDataset:
    return with_validation(open_dataset(name, image_size), validation_fraction)


def opened(name: str, image_size: int = 0, validation_fraction: float = 0.0) -> ImageDataset:
    """The imported data set, kept open. Raises DatasetUnavailableError when it is not here."""
    return _opened(name, image_size, validation_fraction, version_of(name, image_size))


def of_recipe(recipe: Recipe) -> ImageDataset:
    """The images a recipe names, split as it says."""
    data = recipe.data
    return opened(data.dataset, data.image_size, data.validation_fraction)


def of_run(run: Run) -> ImageDataset:
    """The images a run learned from, split as they were for it."""
    return of_recipe(run.recipe)


def facts(source: DatasetSource) -> None:
    figures.facts(
        {
            "Images": f"{source.images:,}",
            "Classes": str(source.classes),
            "Channels × height × width": words.shape((source.channels, source.size, source.size)),
        }
    )
    st.caption(f"Licence: {plain(source.licence)}")


def fetch(source: DatasetSource) -> None:
    """A button that fetches what is not imported yet, and the progress of that, whoever asked for it."""
    folder = source.found(settings().downloads)
    with layout.card(f"{source.title} is not {'imported' if folder else 'on this computer'} yet"):
        if folder:
            st.markdown(f"Its files are on this computer, in {plain(str(folder))}. Nothing is downloaded.")
        else:
            st.markdown(f"It is downloaded once, {words.size(source.download_megabytes * 1e6)}, from {_host(source)}.")
        task = preparation_of(source.name)
        state, elsewhere = task.state(), preparation(source.name) is not None  # a run's worker may be at it
        if state and state.error:
            show_error(state.error)
        busy = bool(state and state.busy) or elsewhere
        title, icon = ("Import it", ":material/move_to_inbox:") if folder else ("Get it", ":material/download:")
        if st.button(title, icon=icon, type="primary", disabled=busy, key="get"):
            with errors_shown():
                task.start(PrepareRequest(dataset=source.name))
                st.rerun()
        if state and state.busy:
            tasks.watch(task)
        elif elsewhere:
            st.fragment(_progress, run_every=tasks.EVERY)(source.name)


def all_sources() -> None:
    """Every data set there is."""
    rows = [
        {
            "Data set": source.title,
            "Images": source.images,
            "Classes": source.classes,
            "Size": f"{source.size} × {source.size}, {'colour' if source.channels == 3 else 'grey'}",
            "Download": _download(source),
            "Here": is_ready(source.name),
            "Licence": source.licence,
            "What it is": source.description,
        }
        for source in dataset_sources
    ]
    st.dataframe(rows, hide_index=True, height="content", key="all-sources")


def _download(source: DatasetSource) -> str:
    if not source.download_megabytes:
        return "comes with it"
    return "on this computer" if source.found(settings().downloads) else words.size(source.download_megabytes * 1e6)


def _progress(name: str) -> None:
    """How far another process is; when it has ended the page is drawn anew."""
    with errors_shown():
        report = preparation(name)
        if report is None:
            st.rerun()
        tasks.bar(report)


def _host(source: DatasetSource) -> str:
    return source.homepage.split("/")[2]
