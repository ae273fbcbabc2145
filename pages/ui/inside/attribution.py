"""Why did it say that? Which pixels spoke for and against a class."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn_core.inference import Classifier
from cnn_core.inspection.attribution import METHODS, Attribution, attribute, with_places
from cnn_core.inspection.attribution_check import by_region, occlusion_drop, randomised, rank_correlation
from cnn_core.inspection.montage import enlarge
from cnn_core.inspection.overlay import colour_bar, overlay
from pages.ui.address import query
from pages.ui.frame import layout, words
from pages.ui.frame.errors import errors_shown, plain
from pages.ui.frame.images import data_uri, pixels
from pages.ui.inside.look import Look
from pages.ui.runs.choosing import weights_version
from pages.ui.understand.classifiers import quiet

SIDE = 640  # pixels of an image at least
ROWS = 4  # of the grid of regions
SIMILAR = 0.5  # rank correlation with random weights from which an attribution is called doubtful
DENSE_METHOD = "integrated_gradients"  # to begin with where there is nothing for Grad-CAM
LEAST_SHADED = 0.04  # below it a region never gets the full colour: what is shown as 0 looks like 0
ABOVE, BELOW = "#2563eb", "#e8590c"


@errors_shown()
def show(look: Look) -> None:
    """The attribution of the predicted and the true class side by side, their regions in numbers, and the check."""
    quiet()
    version = weights_version(look.run, look.epoch)
    probabilities = look.network.classify(look.image[None])[0]
    results, controls = layout.beside()
    with controls, layout.card("Why did it say that?"):
        method, address, strength = _choices(look)
        targets = _targets(look, probabilities)
    with results, errors_shown():
        found = [_attribution(look, version, target, method, address) for target in targets]
        scale = max(float(np.abs(one.values).max()) for one in found)
        for column, one in zip(st.columns(2), found, strict=False):
            with column, st.container(border=True):
                _one(look, version, one, probabilities, strength, scale)
        _check(look, version, found[0], strength)


def _choices(look: Look) -> tuple[str, str, float]:
    """Method, address of the convolution ("" where the method looks at none), and how strong the colours are."""
    known = _layers(look.run.id, look.network)
    method = query.choose(
        st.selectbox,
        "Method",
        list(METHODS),
        name="method",
        default=next(iter(METHODS)) if known else DENSE_METHOD,
        format_func=lambda name: METHODS[name].title,
    )
    st.caption(METHODS[method].help)
    address = _layer(look, known) if METHODS[method].layered and known else ""
    strength = st.slider("Strength of the colours", 0, 100, 65, format="%d%%") / 100
    return method, address, strength


def _layer(look: Look, known: dict[str, str]) -> str:
    """A convolution, the last by default. A layer that another view asks for and this one has no use for is let go."""
    operations = {operation.address for operation in look.network.network.operations}
    if query.asked("layer") in operations - set(known):
        query.put(layer=None)
    titles = {address: _title(address, title) for address, title in known.items()}
    last = list(known)[-1]
    return query.choose(st.selectbox, "Layer", list(titles), name="conv", default=last, format_func=titles.__getitem__)


def _title(address: str, title: str) -> str:
    """ "Residual block, convolution 2" at "9.conv2" as "10 · Convolution 2, residual block": the box is narrow."""
    whole, _, part = title.partition(", ")
    named = f"{part[:1].upper()}{part[1:]}, {whole[:1].lower()}{whole[1:]}" if part else whole
    return f"{int(address.partition('.')[0]) + 1} · {named}"


def _targets(look: Look, probabilities: NDArray[np.float32]) -> list[int]:
    """The predicted class, and beside it the true one, else the second most probable, or what is chosen."""
    classes, order = look.network.classes, np.argsort(-probabilities, kind="stable").tolist()
    if len(classes) == 1:
        return [0]
    known = look.label is not None and look.label < len(classes)
    usual = look.label if known and look.label != order[0] else order[1]
    second = query.choose(
        st.selectbox,
        "Compare with",
        list(range(len(classes))),
        name="target",
        default=usual,
        format_func=lambda number: classes[number],
        help="The class beside the predicted one: the true class where it is another, else the second most probable.",
    )
    return [order[0], *([second] if second != order[0] else [])]


def _one(
    look: Look,
    version: str,
    found: Attribution,
    probabilities: NDArray[np.float32],
    strength: float,
    scale: float,
) -> None:
    """One class: the overlay, its scale, and what each region adds."""
    name, share = look.network.classes[found.target], words.percent(float(probabilities[found.target]), 1)
    first = found.target == int(probabilities.argmax())
    role = " · predicted" * first + " · true class" * (found.target == look.label)
    st.markdown(f"**{plain(name)}** {share}{role}")
    drawn = overlay(look.image, found.values, found.signed, strength, scale)
    st.image(enlarge(drawn, SIDE), width="stretch", alt=f"{METHODS[found.method].title} for {name}")
    _scale(found, scale, strength)
    if not found.values.any():
        st.caption("Nothing in this image counts for this class.")
    left, right = by_region(found, ROWS), _drop(look, version, found.target)
    st.html(
        '<div class="cnn-two">'
        + _grid(left, "Share of attribution, %")
        + _grid(right, "Lost when hidden, points")
        + "</div>"
    )


def _scale(found: Attribution, scale: float, strength: float) -> None:
    """The colours with the numbers at their ends, the same for both classes."""
    most, unit = words.significant(scale, 2), METHODS[found.method].unit
    least = f"−{most} against" if found.signed else "0"
    greatest = f"+{most} {unit} for it" if found.signed else f"{most} {unit}"
    bar = data_uri(colour_bar(found.signed, strength))
    st.html(f'<div class="cnn-scale"><span>{least}</span><img src="{bar}" alt="to"><span>{greatest}</span></div>')


def _grid(values: NDArray[np.float32], caption: str) -> str:
    most = max(float(np.abs(values).max()), LEAST_SHADED)
    rows = "".join(f"<tr>{''.join(_cell(float(value), most) for value in row)}</tr>" for row in values)
    return f'<table class="cnn-regions"><caption>{caption}</caption>{rows}</table>'


def _cell(value: float, most: float) -> str:
    shade, rounded = ABOVE if value >= 0 else BELOW, round(100 * value)
    number = f"{rounded:+d}".replace("-", "−") if rounded else "0"
    return f'<td style="--share:{abs(value) / most * 100:.0f}%;--shade:{shade}">{number}</td>'


def _check(look: Look, version: str, found: Attribution, strength: float) -> None:
    """The same with weights drawn anew: what looks similar then is not about what was learned."""
    random = _attribution(look, version, found.target, found.method, found.address, at_random=True)
    name = plain(look.network.classes[found.target])
    with layout.card(f"Sanity check: {METHODS[found.method].title} for {name} with random weights"):
        st.markdown(_verdict(rank_correlation(found, random)))
        drawn = {
            "The image": pixels(look.image),
            "As trained": overlay(look.image, found.values, found.signed, strength),
            "With random weights": overlay(look.image, random.values, random.signed, strength),
        }
        _in_a_row(drawn)
        st.caption(
            "The same network with all weights drawn anew, each on a scale of its own (Adebayo et al. 2018, Sanity "
            "checks for saliency maps). A second check is in the grids above: the points of probability that are lost "
            "when a region is filled with the mean colour of the training images. That is measured, whatever the "
            "method shows."
        )


def _in_a_row(images: dict[str, NDArray[np.uint8]]) -> None:
    """Caption -> (H, W) or (H, W, 3); side by side also on a phone, since they are to be compared."""
    tiles = "".join(
        f'<figure><img src="{data_uri(image)}" alt="{caption}"><figcaption>{caption}</figcaption></figure>'
        for caption, image in images.items()
    )
    st.html(f'<div class="cnn-gallery" style="grid-template-columns:repeat({len(images)},1fr)">{tiles}</div>')


def _verdict(correlation: float) -> str:
    if math.isnan(correlation):
        return "One of the two is the same everywhere, so they cannot be compared."
    verdict = (
        "The two are strongly correlated, so the method mostly shows the edges of the image here: do not read it as a "
        "reason."
        if abs(correlation) > SIMILAR
        else "They differ, so the attribution depends on what was learned."
    )
    number = f"{correlation:+.2f}".replace("-", "−")
    return f"Rank correlation of the pixels with those of random weights: **{number}**. {verdict}"


@st.cache_data(max_entries=64, show_spinner=False)
def _layers(run_id: str, _network: Classifier) -> dict[str, str]:
    return with_places(_network.network)


def _attribution(
    look: Look, version: str, target: int, method: str, address: str, at_random: bool = False
) -> Attribution:
    key = look.image.tobytes()
    return _attributed(
        look.run.id, look.epoch, version, key, target, method, address, at_random, look.network, look.image
    )


@st.cache_data(max_entries=128, show_spinner="Attributing the score to the pixels …")
def _attributed(
    run_id: str,
    epoch: int | None,
    version: str,
    image: bytes,
    target: int,
    method: str,
    address: str,
    at_random: bool,
    _network: Classifier,
    _image: NDArray[np.uint8],
) -> Attribution:
    network = randomised(_network.network) if at_random else _network.network
    return attribute(network, _network.tensor(_image[None]), target, method, address)


def _drop(look: Look, version: str, target: int) -> NDArray[np.float32]:
    return _dropped(look.run.id, look.epoch, version, look.image.tobytes(), target, look.network, look.image)


@st.cache_data(max_entries=128, show_spinner=False)
def _dropped(
    run_id: str,
    epoch: int | None,
    version: str,
    image: bytes,
    target: int,
    _network: Classifier,
    _image: NDArray[np.uint8],
) -> NDArray[np.float32]:
    return occlusion_drop(_network.network, _network.tensor(_image[None]), target, ROWS)
