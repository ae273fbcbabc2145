"""Feature maps: what every layer makes of one image, at any kept epoch."""

import streamlit as st

from cnn_core.inspection.feature_maps import feature_maps, inner_maps
from cnn_core.inspection.filters import filters
from cnn_core.inspection.montage import enlarge
from pages.ui.address import query
from pages.ui.charts import figures
from pages.ui.data import datasets
from pages.ui.frame import layout
from pages.ui.frame.images import pixels
from pages.ui.runs.choosing import WITH_WEIGHTS, pick_run, require_runs
from pages.ui.understand import inspection, unlike
from pages.ui.understand.classifiers import classifier, pick_epoch, pick_image, top

layout.title("Feature maps", "An image on its way through the network: bright is where a layer responds.")
runs = require_runs(WITH_WEIGHTS)
results, panel = layout.beside()
with panel, st.container(key="choices-first"):
    with layout.card("Network"):
        run = pick_run(runs)
        epoch = pick_epoch(run)
        network = classifier(run, epoch)
    with layout.card("Image"):
        dataset = datasets.of_run(run)
        image, right = pick_image(network, dataset)

maps = feature_maps(network.network, network.tensor(image[None]))
learned = filters(network.network)
names = {"all": "All layers"} | {str(layer.position + 1): inspection.name(layer) for layer in maps}
with panel, layout.card("Show"):
    wanted = query.choose(st.selectbox, "Layer", list(names), name="layer", format_func=names.__getitem__)
    own = st.toggle("Each map on its own scale", help="Weak maps become visible, but brightness no longer compares.")

with results:
    with layout.card("The image and the answer"):
        shown, answer = st.columns([1, 3], vertical_alignment="center")
        shown.image(enlarge(pixels(image), 196), width="stretch")
        with answer:
            figures.bars(top(network.classify(image[None])[0], network.classes), right)
            if right is None:
                unlike.show(unlike.judge(run, epoch, network, dataset, [image])[0])
    for layer in maps:
        kernels = [found for found in learned if found.position == layer.position]
        if wanted == "all":
            inspection.layer_row(layer, kernels, own)
        elif wanted == str(layer.position + 1):
            inspection.layer_alone(layer, kernels, own)
            inspection.inside(inner_maps(network.network, network.tensor(image[None]), layer.position), own)
