"""Data: look at the images before a network does."""

import streamlit as st

from cnn_core.data.dataset import SPLITS
from cnn_core.data.library import is_ready
from cnn_core.data.sources import dataset_sources
from cnn_core.data.statistics import class_counts
from pages.ui import address, datasets, figures, layout, words
from pages.ui.errors import plain

layout.title("Data", "The images a network learns from: how many there are of each kind, and what they are made of.")
results, panel = layout.beside()

with panel, layout.card("Data set"):
    name = address.choose(
        st.selectbox, "Data set", dataset_sources.names(), name="dataset", label_visibility="collapsed",
        format_func=lambda option: dataset_sources.get(option).title,
    )  # fmt: skip
    source = dataset_sources.get(name)
    st.caption(plain(source.description))
    datasets.facts(source)
    layout.go("train", "Train on it", ":material/play_circle:", primary=True, **{"data.dataset": name})

with results:
    if source.download_megabytes and not is_ready(name):
        datasets.fetch(source)
        with layout.card("All data sets"):
            datasets.all_sources()
        st.stop()
    dataset = datasets.opened(name)
    numbers = list(range(len(dataset.classes)))

    with layout.card("Samples", "Drawn at random from each class. Training learns from one split, picks the best epoch "
                     "on another, and is tested once on the third."):  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="bottom"):
            split = address.choose(st.segmented_control, "Split", SPLITS, name="split", format_func=words.label)
            label = address.choose(
                st.selectbox, "Class", [-1, *numbers], name="class",
                format_func=lambda number: "All classes" if number < 0 else dataset.classes[number],
            )  # fmt: skip
            seed = st.session_state.get("seed", 0)
            if st.button("Others", icon=":material/shuffle:", help="Draw other images."):
                st.session_state["seed"] = seed = seed + 1
        pages = -(-len(numbers) // datasets.ROWS)
        page = st.pagination(pages, key="page") if pages > 1 and label < 0 else 1
        datasets.samples(dataset, split, None if label < 0 else label, page, seed)

    with layout.card("One image as numbers", "A picture is a grid of numbers, one grid a channel."):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            last = len(dataset.labels) - 1
            index = st.number_input("Image", step=1, **address.mirror_number("image", 0, 0, last), width=140)
            channels = ("Red", "Green", "Blue")[: dataset.shape[0]] if dataset.shape[0] > 1 else ("Grey",)
            channel = address.choose(st.segmented_control, "Channel", channels, name="channel")
            values = address.choose(st.segmented_control, "Values", ("Pixels", "Normalised"), name="values")
        datasets.as_numbers(dataset, index, channels.index(channel), values == "Normalised")

    with layout.card("Class balance", "Images per class and split. A rare class is easily ignored by a network."):
        figures.class_balance(class_counts(dataset))
    with st.expander("All data sets", icon=":material/list:"):
        datasets.all_sources()
