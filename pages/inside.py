"""Inside: a network at work on one image, at any kept epoch, why it answers so, and what its filters look for."""

import streamlit as st

from pages.ui.address import query
from pages.ui.frame import layout
from pages.ui.inside import attribution, exciting, hierarchy, surgery, view
from pages.ui.inside.images import images_of
from pages.ui.inside.look import Look
from pages.ui.inside.subject import empty, pick
from pages.ui.runs.choosing import WITH_WEIGHTS, pick_run, require_runs
from pages.ui.understand.classifiers import classifier, pick_epoch

STAGE = "stage"
VIEWS = {
    STAGE: "At work",
    "why": "Why",
    "excites": "What excites it",
    "hierarchy": "Edges to shapes",
    "surgery": "Surgery",
}
SECTIONS = {
    "why": attribution.show,
    "excites": exciting.show,
    "hierarchy": hierarchy.show,
    "surgery": surgery.show,
}
OF_AN_IMAGE = ("why", "surgery")

heading, views = st.columns([5, 6], vertical_alignment="center")
with heading:
    layout.title("Inside", "A network at work, and why it answers as it does.")
runs = require_runs(WITH_WEIGHTS)
with views:
    shown = query.choose(
        st.segmented_control,
        "View",
        list(VIEWS),
        name="view",
        format_func=VIEWS.__getitem__,
        label_visibility="collapsed",
    )
left, above = st.columns([1, 2.6], vertical_alignment="bottom")
with left:
    run = pick_run(runs)
dataset = images_of(run)
if shown == STAGE:
    view.show(run, dataset, above)
else:
    with above:
        epoch = pick_epoch(run)
    network = classifier(run, epoch)
    subject = pick(run, network, dataset) if shown in OF_AN_IMAGE else empty(network)
    SECTIONS[shown](Look(run, epoch, network, dataset, subject.image, subject.label))
