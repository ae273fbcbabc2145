"""What excites maps, and the way from edges to shapes, on the page Inside."""

import numpy as np
import pytest

from cnn_core.data.explore.statistics import sample
from cnn_core.errors import DatasetUnavailableError
from cnn_core.inspection.exciting import exciting
from cnn_core.runs.store import store
from pages.ui.data import datasets
from pages.ui.frame import words
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


@pytest.mark.parametrize("view", ["excites", "hierarchy"])
def test_without_the_data_set_the_rest_shows(
    open_page: Open, runs: list[str], monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    def gone(_run: object) -> None:
        raise DatasetUnavailableError("The images are not here any more.")

    monkeypatch.setattr(datasets, "of_run", gone)
    page = open_page("inside", run=runs[1], view=view, layer="0")
    assert "not here any more" in errors(page)
    assert "validation images of this run are not here" in text(page)
    assert len(page.image) == 2 or 'title="made"' in text(page)
