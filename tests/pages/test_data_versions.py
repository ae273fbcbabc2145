"""Data: copies and wrong labels are mended in a new version; test images of data sets that people bring are sealed."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnn_core.data.catalogue import versions
from cnn_core.data.catalogue.library import open_dataset
from cnn_core.data.dataset import ImageDataset
from cnn_core.recipe import DataSpec
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store
from tests.data.explore.planted import brighter, with_images
from tests.pages.conftest import Open, digits_recipe, errors, query, run, text, train


@pytest.fixture
def digits(home: Path) -> ImageDataset:
    return open_dataset("digits")


@pytest.fixture
def copied(digits: ImageDataset) -> versions.About:
    """The digits with a copy of a test image in train, with another label, and a brighter one of a training image."""
    tested, learned = digits.splits["test"][0], digits.splits["train"][0]
    images = [digits.images[tested], brighter(digits.images[learned], 20)]
    labels = [(digits.labels[tested] + 1) % 10, digits.labels[learned]]
    return versions.derive(with_images(digits, images, labels, ["train", "train"]), "Copied digits", made_by="Ada")


def tiles(page: AppTest) -> int:
    return text(page).count("<figure>")


def newest() -> ImageDataset:
    return open_dataset(versions.own_datasets()[0].id)


def test_copies_are_shown_with_their_splits_and_labels(open_page: Open, copied: versions.About) -> None:
    page = open_page("data", dataset=copied.id, view="copies")
    assert "1 image is in more than one split, 1 of the test images among them" in text(page)
    assert tiles(page) == 4
    assert [badge for badge in ("across splits", "two labels") if badge in text(page)] == [
        "across splits",
        "two labels",
    ]


def test_one_click_removes_the_copies(open_page: Open, copied: versions.About, digits: ImageDataset) -> None:
    page = open_page("data", dataset=copied.id, view="copies")
    page.button(key="remove-copies").click()
    run(page)
    new = newest()
    assert query(page)["dataset"] == new.name != copied.id
    assert len(new.labels) == len(digits.labels)
    assert np.array_equal(new.splits["test"], digits.splits["test"])
    assert "Copied digits" in page.success[0].value
    assert "The old version is still there" in page.success[0].value
    assert len(open_dataset(copied.id).labels) == len(digits.labels) + 2
    again = open_page("data", dataset=new.name, view="copies")
    assert "No image has a copy" in text(again)


def test_one_click_removes_only_what_leaks(open_page: Open, copied: versions.About, digits: ImageDataset) -> None:
    page = open_page("data", dataset=copied.id, view="copies")
    page.button(key="remove-leaks").click()
    run(page)
    assert len(newest().labels) == len(digits.labels) + 1
    assert np.array_equal(newest().splits["test"], digits.splits["test"])


def test_built_in_data_sets_get_a_version_too(open_page: Open) -> None:
    page = open_page("data", dataset="fashion_mnist_sample", view="copies")
    page.button(key="remove-copies").click()
    run(page)
    assert "Fashion-MNIST sample, mended" in page.success[0].value.replace("\\", "")
    assert len(newest().labels) < 14_000


def test_labels_without_a_run_point_to_train(open_page: Open) -> None:
    page = open_page("data", dataset="digits", view="labels")
    assert [link.label for link in page.get("page_link")] == ["Train one"]


@pytest.fixture
def doubted(runs: list[str]) -> int:
    """A test image of the digits whose label the second run contradicts."""
    folder = RunFolder(runs[0])
    predictions = folder.predictions()
    assert predictions is not None
    predictions.probabilities[3] = 0.001
    predictions.probabilities[3, (predictions.labels[3] + 1) % 10] = 0.991
    folder.write_predictions(predictions)
    return int(predictions.indices[3])


def test_a_new_label_makes_a_new_version(open_page: Open, runs: list[str], doubted: int) -> None:
    page = open_page("data", dataset="digits", view="labels", run=runs[0])
    old = open_dataset("digits")
    choice = page.selectbox(key=f"decision:digits:{doubted}")
    assert choice.options[0] == f"Keep {old.labels[doubted]}"
    assert page.button(key="make-version").disabled
    choice.select((old.labels[doubted] + 1) % 10)
    run(page)
    assert page.button(key="make-version").label == "Make a new version with 1 change"
    page.button(key="make-version").click()
    run(page)
    new = newest()
    assert query(page)["dataset"] == new.name
    assert np.flatnonzero(new.labels != old.labels).tolist() == [doubted]
    assert new.labels[doubted] == (old.labels[doubted] + 1) % 10
    assert open_dataset("digits").content_hash == old.content_hash
    assert store().get(runs[0]).recipe.data.dataset == "digits"


def test_suggestions_can_be_taken_forgotten_and_images_removed(open_page: Open, runs: list[str], doubted: int) -> None:
    page = open_page("data", dataset="digits", view="labels", run=runs[0])
    page.button(key="take").click()
    run(page)
    assert page.selectbox(key=f"decision:digits:{doubted}").value == (open_dataset("digits").labels[doubted] + 1) % 10
    page.button(key="forget").click()
    run(page)
    page.selectbox(key=f"decision:digits:{doubted}").select(-2)
    run(page)
    page.button(key="make-version").click()
    run(page)
    assert len(newest().labels) == 1796


def test_the_map_of_a_run(open_page: Open, runs: list[str]) -> None:
    page = open_page("data", dataset="digits", view="map", run=runs[0])
    assert not page.error
    assert "1,797 images" in text(page)
    assert page.selectbox(key="choice:run").options[0] == "their pixels"


def test_test_images_are_sealed_until_somebody_asks(open_page: Open, copied: versions.About) -> None:
    page = open_page("data", dataset=copied.id, split="test")
    assert "The test images are sealed" in text(page)
    assert "cnn-strip" not in text(page)
    assert versions.about(copied.id).looks == 0
    page.button(key="look").click()
    run(page)
    assert "cnn-strip" in text(page)
    assert "shown 1 time" in text(page)
    run(page)
    assert versions.about(copied.id).looks == 1  # once a session
    other = open_page("data", dataset=copied.id, split="test")
    assert "shown 1 time" in text(other)
    assert "cnn-strip" not in text(other)


def test_no_view_shows_a_sealed_image(open_page: Open, copied: versions.About) -> None:
    known = open_dataset(copied.id)
    tested = int(known.splits["test"][0])
    page = open_page("data", dataset=copied.id, image=tested)
    assert "cnn-numbers" not in text(page)
    assert not page.image
    page = open_page("data", dataset=copied.id, view="copies")
    assert text(page).count("sealed</figcaption>") == 1
    page = open_page("data", dataset=copied.id, view="pixels", split="test")
    assert tiles(page) == 0
    page = open_page("data", dataset=copied.id, view="map")
    assert f"{len(known.splits['train']) + len(known.splits['validation']):,} images" in text(page)


def test_looks_at_earlier_versions_count(open_page: Open, copied: versions.About) -> None:
    versions.count_look(copied.id)
    newer = versions.derive(open_dataset(copied.id), "", removed=[0])
    assert "shown 1 time" in text(open_page("data", dataset=newer.id))


def test_built_in_data_sets_are_not_sealed(open_page: Open) -> None:
    assert "cnn-strip" in text(open_page("data", dataset="digits", split="test"))


def test_a_version_that_cannot_be_made_is_answered_and_the_decisions_kept(open_page: Open, runs: list[str]) -> None:
    page = open_page("data", dataset="digits", view="labels", run=runs[0])
    page.session_state["decisions:digits"] = dict.fromkeys(open_dataset("digits").splits["test"].tolist(), -2)
    run(page)
    page.button(key="make-version").click()
    run(page)
    assert "leave no test image" in errors(page)
    assert page.button(key="make-version").label == "Make a new version with 270 changes"
    assert not versions.own_datasets()


def test_evaluate_shows_the_sealed_test_images_only_after_a_look_that_is_counted(open_page: Open) -> None:
    known = versions.derive(open_dataset("digits"), "Mine", removed=[0])
    recipe = digits_recipe("simple_cnn", 1)
    run_id = train(recipe.model_copy(update={"data": DataSpec(dataset=known.id)}), "on mine")
    page = open_page("evaluate", run=run_id)
    assert "The test images are sealed" in text(page)
    assert "cnn-gallery" not in text(page)
    page.button(key="look").click()
    run(page)
    assert "cnn-gallery" in text(page)
    assert versions.about(known.id).looks == 1
    assert not open_page("classify", run=run_id).error
    assert not open_page("inside", run=run_id).error
