"""Data: look at the images before a network does."""

import streamlit as st

from cnn_core.data.catalogue.library import is_ready
from cnn_core.data.catalogue.registry import dataset_sources
from pages.ui.address import query
from pages.ui.data import (
    class_images,
    copies,
    datasets,
    image_map,
    label_fixes,
    one_image,
    pixel_values,
    samples,
    sealed,
    versions,
)
from pages.ui.frame import layout
from pages.ui.frame.errors import errors_shown, plain

VIEWS = {
    "samples": ("Samples", samples.view),
    "classes": ("Classes", class_images.view),
    "pixels": ("Pixels", pixel_values.view),
    "copies": ("Copies", copies.view),
    "map": ("Map", image_map.view),
    "labels": ("Labels", label_fixes.view),
    "image": ("One image", one_image.view),
}

layout.title("Data", "The images a network learns from: how many there are of each kind, and what they are made of.")
results, panel = layout.beside()

with panel, layout.card("Data set"):
    name = query.choose(
        st.selectbox,
        "Data set",
        dataset_sources.names(),
        name="dataset",
        label_visibility="collapsed",
        format_func=lambda option: dataset_sources.get(option).title,
        clears=["class", "page", "image", "run"],
    )
    source = dataset_sources.get(name)
    st.caption(plain(source.description))
    datasets.facts(source)
    layout.go("train", "Train on it", ":material/play_circle:", primary=True, **{"data.dataset": name})
    layout.go("augmentation", "Augment it", ":material/auto_fix_high:", False, **{"data.dataset": name})
    layout.go("bring", "Your images", ":material/add_photo_alternate:")

with results:
    versions.announce()
    if source.download_megabytes and not is_ready(name):
        datasets.fetch(source)
        with layout.card("All data sets"):
            datasets.all_sources()
        st.stop()
    with errors_shown():  # an imported one may be damaged
        dataset = datasets.opened(name)
        with panel:
            sealed.note(dataset)
        first = "image" if query.asked("image") else "samples"
        view = query.choose(
            st.segmented_control,
            "View",
            list(VIEWS),
            name="view",
            default=first,
            format_func=lambda option: VIEWS[option][0],
            label_visibility="collapsed",
            clears=["page"],
        )
        VIEWS[view][1](dataset)
    with st.expander("All data sets", icon=":material/list:"):
        datasets.all_sources()
