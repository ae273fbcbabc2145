"""The images that a run on the page Inside learned from."""

from __future__ import annotations

import streamlit as st

from cnn_core.data.dataset import ImageDataset
from cnn_core.errors import DamagedDatasetError, DatasetUnavailableError, PlaygroundError, UnknownNameError
from cnn_core.runs.tables import Run
from pages.ui.data import datasets
from pages.ui.frame.errors import plain, show_error

OWN_IMAGE = "You can still look inside: upload, photograph or draw an image under “At work”."
DELETED = (
    "The data set “{name}”, which this run learned from, has been deleted. The network is still here. {own_image} What "
    "is measured on the images of the data set is left out; to have it too, train on a data set that is here."
)


def images_of(run: Run) -> ImageDataset | None:
    """The data set, split as for the run. Where it is not here: None, and what a person can do about it."""
    try:
        return datasets.of_run(run)
    except DamagedDatasetError as error:
        show_error(error)
    except DatasetUnavailableError as error:
        _note(f"{error} {OWN_IMAGE}")
    except UnknownNameError:
        _note(DELETED.format(name=run.recipe.data.dataset, own_image=OWN_IMAGE))
    except PlaygroundError as error:
        show_error(error)
    return None


def _note(sentences: str) -> None:
    """Not an error: most of the page works."""
    st.info(plain(sentences), icon=":material/hide_image:")
