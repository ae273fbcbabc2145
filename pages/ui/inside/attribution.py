"""Why did it say that? Which pixels spoke for and against a class."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn_core.inference import Classifier
from cnn_core.inspection.attribution import METHODS, Attribution, attribute, convolutions
from cnn_core.inspection.attribution_check import by_region, occlusion_drop, randomised, rank_correlation
from cnn_core.inspection.montage import enlarge
from cnn_core.inspection.overlay import overlay
from pages.ui.address import query
from pages.ui.frame import layout, words
from pages.ui.frame.errors import errors_shown, plain
from pages.ui.frame.images import pixels
from pages.ui.inside.look import Look
from pages.ui.runs.choosing import weights_version
from pages.ui.understand.classifiers import quiet

SIDE = 320  # pixels of an image at least
ROWS = 4  # of the grid of regions
LAST = "last"
ALIKE = 0.5  # rank correlation with random weights from which an attribution is called doubtful


@errors_shown()
def show(look: Look) -> None:
    """The attribution of the predicted and the true class side by side, their regions in numbers, and the check."""
    quiet()
    version = weights_version(look.run, look.epoch)
    probabilities = look.network.classify(look.image[None])[0]
    results, controls = layout.beside()
    with controls, layout.card("Why did it say that?"):
        method, address, strength = _choices(look)
        second = _second_class(look, probabilities)
    predicted = int(probabilities.argmax())
    targets = [predicted, *([second] if second is not None and second != predicted else [])]
    with results:
        found = [_attribution(look, version, target, method, address) for target in targets]
        scale = max(float(np.abs(one.values).max()) for one in found)
        for column, one in zip(st.columns(2), found, strict=False):
            with column:
                _one(look, one, probabilities, strength, scale)
        with st.container(border=True):
            _check(look, version, found[0], strength)


def _choices(look: Look) -> tuple[str, str, float]:
    """Method, address of the convolution ("" for the last), and how strongly the colours are laid over the image."""
    method = query.choose(
        st.selectbox, "Method", list(METHODS), name="method", format_func=lambda name: METHODS[name].title
    )
    st.caption(METHODS[method].help)
    address = LAST
    known = convolutions(look.network.network)
    if METHODS[method].layered and known:
        titles = {LAST: "The last convolution"} | {
            key: f"{int(key.split('.')[0]) + 1} · {title}" for key, title in known.items()
        }
        address = query.choose(st.selectbox, "Layer", list(titles), name="layer", format_func=titles.__getitem__)
    strength = st.slider("Strength of the colours", 0, 100, 65, format="%d%%") / 100
    return method, "" if address == LAST else address, strength


def _second_class(look: Look, probabilities: NDArray[np.float32]) -> int | None:
    """The class beside the predicted one: the true one, else the second most probable, or what is chosen."""
    order = np.argsort(-probabilities, kind="stable")
    usual = look.label if look.label is not None else int(order[min(1, len(order) - 1)])
    if usual == int(order[0]) and len(order) > 1:
        usual = int(order[1])
    numbers = list(range(len(look.network.classes)))
    return query.choose(
        st.selectbox,
        "Compare with",
        numbers,
        name="target",
        default=usual,
        format_func=lambda number: look.network.classes[number],
        help="The class beside the predicted one: the true class where it is another, else the second most probable.",
    )


def _one(look: Look, found: Attribution, probabilities: NDArray[np.float32], strength: float, scale: float) -> None:
    """One class: the overlay, and what each region adds."""
    name, share = look.network.classes[found.target], words.percent(float(probabilities[found.target]), 1)
    first = found.target == int(probabilities.argmax())
    role = " · predicted" * first + " · true class" * (found.target == look.label)
    with st.container(border=True):
        st.markdown(f"**{plain(name)}** {share}{role}")
        drawn = overlay(look.image, found.values, found.signed, strength, scale)
        image, regions = st.columns([3, 2], vertical_alignment="center")
        image.image(enlarge(drawn, SIDE), width="stretch", alt=f"{METHODS[found.method].title} for {name}")
        with regions:
            _regions(look, found)
        st.caption(_legend(found))


def _legend(found: Attribution) -> str:
    if found.signed:
        return "Blue speaks for this class, orange against it; both images on one scale."
    return "Blue little, orange more, yellow most; both images on one scale."


def _regions(look: Look, found: Attribution) -> None:
    """What each region adds, and beside it what hiding it costs: the second is measured, whatever the method says."""
    shares = by_region(found, ROWS)
    drops = occlusion_drop(look.network.network, look.network.tensor(look.image[None]), found.target, ROWS)
    _grid(shares, "Part of the attribution")
    _grid(drops, "Probability lost when hidden")


def _grid(values: NDArray[np.float32], caption: str) -> None:
    most = float(np.abs(values).max()) or 1.0
    rows = "".join(f"<tr>{''.join(_cell(float(value), most) for value in row)}</tr>" for row in values)
    st.html(f'<table class="cnn-regions"><caption>{caption}, %</caption>{rows}</table>')


def _cell(value: float, most: float) -> str:
    shade, number = (
        "#2563eb" if value >= 0 else "#e8590c",
        f"{round(100 * value):+d}".replace("+0", "0").replace("-", "−"),
    )
    return f'<td style="--share:{abs(value) / most * 100:.0f}%;--shade:{shade}">{number}</td>'


def _check(look: Look, version: str, found: Attribution, strength: float) -> None:
    """The same with weights drawn anew: what looks alike then is not about what was learned."""
    random = _random(look, version, found.target, found.method, found.address)
    correlation = rank_correlation(found, random)
    image, text = st.columns([1, 3], vertical_alignment="center")
    image.image(
        enlarge(overlay(look.image, random.values, random.signed, strength), SIDE),
        width="stretch",
        alt="The same attribution with random weights",
    )
    with text:
        st.markdown("**The check: the same method with random weights**")
        if math.isnan(correlation):
            st.markdown("One of the two is the same everywhere, so they cannot be compared.")
        else:
            verdict = (
                "They look much alike, so the method mostly shows the image's edges here: do not read it as a reason."
                if abs(correlation) > ALIKE
                else "They differ, so the attribution depends on what was learned."
            )
            st.markdown(f"Rank correlation of the pixels: **{correlation:+.2f}**. {verdict}".replace("-", "−"))
        st.caption("After Adebayo et al. 2018, Sanity checks for saliency maps. The original image:")
        st.image(enlarge(pixels(look.image), 96), width=96, alt="The image")


def _attribution(look: Look, version: str, target: int, method: str, address: str) -> Attribution:
    key = look.image.tobytes()
    return _attributed(look.run.id, look.epoch, version, key, target, method, address, look.network, look.image)


@st.cache_data(max_entries=128, show_spinner="Looking for the reasons …")
def _attributed(
    run_id: str,
    epoch: int | None,
    version: str,
    image: bytes,
    target: int,
    method: str,
    address: str,
    _network: Classifier,
    _image: NDArray[np.uint8],
) -> Attribution:
    return attribute(_network.network, _network.tensor(_image[None]), target, method, address)


def _random(look: Look, version: str, target: int, method: str, address: str) -> Attribution:
    key = look.image.tobytes()
    return _attributed_at_random(
        look.run.id, look.epoch, version, key, target, method, address, look.network, look.image
    )


@st.cache_data(max_entries=128, show_spinner=False)
def _attributed_at_random(
    run_id: str,
    epoch: int | None,
    version: str,
    image: bytes,
    target: int,
    method: str,
    address: str,
    _network: Classifier,
    _image: NDArray[np.uint8],
) -> Attribution:
    return attribute(randomised(_network.network), _network.tensor(_image[None]), target, method, address)
