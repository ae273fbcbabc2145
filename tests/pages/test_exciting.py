"""What excites maps, and the way from edges to shapes, on the page Inside."""

import copy
from dataclasses import replace

import numpy as np
import pytest

from cnn_core.data.explore.statistics import sample
from cnn_core.inference import Classifier
from cnn_core.inspection.exciting import Ranked, exciting
from cnn_core.inspection.filters import filters
from cnn_core.models.network import build
from cnn_core.models.preset import layer
from cnn_core.runs.store import store
from pages.ui.data import datasets
from pages.ui.frame import words
from pages.ui.inside import exciting as exciting_page
from pages.ui.inside import hierarchy, patterns
from pages.ui.inside.look import Look
from pages.ui.understand.classifiers import classifier
from tests.pages.conftest import Open, errors, query, run, text


def test_a_map_its_images_and_an_image_made_for_it(open_page: Open, runs: list[str]) -> None:
    page = open_page("inside", run=runs[1], view="excites", layer="3", map=5)
    assert not page.error
    assert len(page.image) == 2  # robust, and plain ascent
    assert text(page).count('class="cnn-patch"') == 18
    of_run = store().get(runs[1])
    dataset, network = datasets.of_run(of_run), classifier(of_run)
    chosen = np.sort(sample(dataset, "validation", None, 1000))
    found = exciting(network.network, network.batches(dataset.images, chosen), ["3"])["3"]
    first = int(found.most.images[4, 0])
    name = dataset.classes[dataset.labels[chosen[first]]]
    assert f"{name}, {words.significant(float(found.most.values[4, 0]), 3)}" in text(page)
    page.number_input(key="choice:map").set_value(7)
    assert query(run(page))["map"] == "7"
    page.button(key="make-all").click()
    assert len(run(page).image) == 3


def test_a_class_is_chosen_by_name(open_page: Open, runs: list[str]) -> None:
    page = open_page("inside", run=runs[1], view="excites", layer="12", map=3)
    assert page.selectbox(key="choice:map").value == 3


def test_every_convolution_has_a_column(open_page: Open, runs: list[str]) -> None:
    page = open_page("inside", run=runs[1], view="hierarchy")
    assert not page.error
    assert text(page).count("<section>") == 3
    assert "Receptive field 3 × 3 px" in text(page)
    assert text(page).count('title="made"') == 18


@pytest.mark.usefixtures("gone")
@pytest.mark.parametrize("view", ["excites", "hierarchy"])
def test_without_the_data_set_the_rest_shows(open_page: Open, runs: list[str], view: str) -> None:
    page = open_page("inside", run=runs[1], view=view, layer="0")
    assert not page.error
    assert "not here any more" in text(page)
    assert "validation images of this run are not here" in text(page)
    assert len(page.image) == 2 or 'title="made"' in text(page)


def test_another_layer_begins_at_its_first_map(open_page: Open, runs: list[str]) -> None:
    page = open_page("inside", run=runs[1], view="excites", layer="6", map=60)
    page.selectbox(key="choice:layer").set_value("0")
    run(page)
    assert not page.error
    assert page.number_input(key="choice:map").value == 1


def test_a_class_has_no_choice_of_place(open_page: Open, runs: list[str]) -> None:
    page = open_page("inside", run=runs[1], view="excites", layer="12")
    assert not [choice for choice in page.get("button_group") if choice.key == "choice:aim"]
    assert len(page.image) == 2


@pytest.mark.parametrize(("view", "key"), [("excites", "make"), ("hierarchy", "make-hierarchy")])
def test_what_takes_long_is_asked_for(
    open_page: Open, runs: list[str], monkeypatch: pytest.MonkeyPatch, view: str, key: str
) -> None:
    monkeypatch.setattr(patterns, "UNASKED", 0.01)
    page = open_page("inside", run=runs[1], view=view)
    assert not page.image
    assert 'title="made"' not in text(page)
    page.button(key=key).click()
    assert len(run(page).image) == 2 or text(page).count('title="made"') == 18
    assert key not in [button.key for button in run(page).button]


@pytest.mark.parametrize("view", ["excites", "hierarchy"])
def test_a_data_set_that_does_not_fit_is_as_one_that_is_gone(
    open_page: Open, runs: list[str], monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    dataset = datasets.of_run(store().get(runs[1]))
    none = {**dataset.splits, "validation": dataset.splits["validation"][:0]}
    monkeypatch.setattr(datasets, "of_run", lambda _run: replace(dataset, splits=none))
    page = open_page("inside", run=runs[1], view=view)
    assert not page.error
    assert "validation images of this run are not here" in text(page)


@pytest.mark.parametrize("view", ["excites", "hierarchy"])
def test_a_network_that_diverged_is_a_sentence(
    open_page: Open, runs: list[str], monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    network = classifier(store().get(runs[1]))
    broken = copy.deepcopy(network.network)
    broken.get_parameter("0.weight").data.fill_(float("nan"))
    monkeypatch.setattr("pages.ui.understand.classifiers._classifier", lambda *_: replace(network, network=broken))
    page = open_page("inside", run=runs[1], view=view, layer="0")
    assert "not a finite number" in errors(page)
    assert len(page.error) == 1
    assert 'class="cnn-patch"' in text(page) or text(page).count("<section>") == 3


def test_a_patch_of_padding_alone_is_left_empty(runs: list[str]) -> None:
    of_run = store().get(runs[1])
    dataset = datasets.of_run(of_run)
    layers = (layer("conv", channels=2, kernel=1, padding=2), layer("flatten"), layer("linear"))
    network = build(layers, dataset.shape, 10).eval()
    look = Look(of_run, None, Classifier(network, dataset.classes, dataset.shape), dataset, dataset.images[0], None)
    corner = Ranked(np.zeros((2, 1), np.int64), np.zeros((2, 1), np.float32), *np.zeros((2, 2, 1), np.int32))
    assert hierarchy._patches(look, dataset, filters(network)[0], corner, 0) == "<td></td>"
    inside = replace(corner, rows=corner.rows + 2, columns=corner.columns + 2)
    assert hierarchy._patches(look, dataset, filters(network)[0], inside, 0).startswith("<td><img ")
    assert not exciting_page._frame(look, "0", 0, 0)
    assert exciting_page._frame(look, "0", 2, 2).startswith("<i ")
