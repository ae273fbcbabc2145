"""Classify: an image of your own, as the network sees it."""

import numpy as np
import streamlit as st

from cnn_core.data.explore.statistics import sample
from cnn_core.inspection.montage import enlarge
from cnn_core.settings import settings
from pages.ui.charts import figures
from pages.ui.data import datasets, sealed
from pages.ui.frame import layout
from pages.ui.frame.errors import errors_shown, plain
from pages.ui.frame.images import TYPES, pixels
from pages.ui.runs.choosing import WITH_WEIGHTS, pick_run, require_runs
from pages.ui.understand import preprocessing, unlike
from pages.ui.understand.classifiers import classifier, pick_epoch, top, uploads

SAMPLES = 6

layout.title("Classify", "Give a trained network images it has never seen. They stay on the computer it runs on.")
runs = require_runs(WITH_WEIGHTS)
results, panel = layout.beside()
with panel, layout.card("Network"):
    run = pick_run(runs)
    epoch = pick_epoch(run)
    network = classifier(run, epoch)
with results:
    dataset = None
    with errors_shown():
        dataset = datasets.of_run(run)
    with layout.card("Your images"):
        source = st.segmented_control("From", ("Files", "Camera"), default="Files", label_visibility="collapsed")
        if source == "Camera":
            photo = st.camera_input("Take a photo", label_visibility="collapsed")
            files = [("photo.png", photo.getvalue())] if photo else []
        else:
            chosen = st.file_uploader(
                "One or many images, best with one thing in the middle",
                type=TYPES,
                accept_multiple_files=True,
                max_upload_size=settings().upload_megabytes,
            )
            files = [(file.name, file.getvalue()) for file in chosen]
        prepared = preprocessing.prepare(network, dataset, uploads(files))
    judged = unlike.judge(run, epoch, network, dataset, [image.seen for image in prepared])
    for image, judgement in zip(prepared, judged, strict=True):
        with st.container(border=True):
            st.markdown(f"**{plain(image.name)}**")
            way, answer = st.columns(2, vertical_alignment="center")
            with way:
                preprocessing.steps(image, network)
            with answer:
                figures.bars(top(network.classify(image.seen[None])[0], network.classes))
                unlike.show(judgement)
    if prepared:
        unlike.explain(judged[0])
    elif dataset is not None:
        split = sealed.unseen(dataset)
        st.markdown(f"**Until then: {split} images it has not learned from**")
        chosen_images = sample(dataset, split, None, SAMPLES, seed=1)
        probabilities = network.classify(np.asarray(dataset.images[chosen_images]))
        grid = st.grid(2, min_column_width=300, border=True)
        for index, fractions in zip(chosen_images, probabilities, strict=True):
            with grid.cell(), st.container(horizontal=True, vertical_alignment="center"):
                st.image(enlarge(pixels(dataset.images[index]), 96), width=96)
                figures.bars(top(fractions, dataset.classes), dataset.classes[dataset.labels[index]])
