"""Data: samples, numbers and balance of what is here; a plain word on what is not."""

from pathlib import Path

import pytest

from cnn_core.data.catalogue.library import open_dataset
from cnn_core.data.catalogue.registry import INCLUDED_SOURCES, dataset_sources
from cnn_core.jobs.tasks.prepare_dataset import preparation_of
from tests.pages.conftest import Open, errors, query, run, settled, text

VIEWS = ("samples", "classes", "pixels", "copies", "map", "labels", "image")


def test_the_bundled_data_set_is_shown_at_once(open_page: Open) -> None:
    page = open_page("data")
    assert "Ankle boot" in text(page)
    assert "14,000" in text(page)
    assert text(page).count('class="cnn-strip"') == 10
    assert "1 × 28 × 28" in text(page)


def test_choices_are_kept_in_the_address(open_page: Open) -> None:
    page = open_page("data")
    page.selectbox(key="choice:dataset").select("digits")
    run(page)
    assert page.query_params["dataset"] == "digits"
    assert "1,797" in text(page)
    page.selectbox(key="choice:class").select(3)
    run(page)
    assert page.query_params["class"] == "3"
    assert "cnn-gallery" in text(page)


def test_an_address_restores_the_page(open_page: Open) -> None:
    page = open_page("data", dataset="digits", split="test", image=7, values="Normalised")
    assert page.number_input[0].value == 7
    assert "What the network gets" in text(page)


def test_the_numbers_are_the_pixels(open_page: Open) -> None:
    page = open_page("data", dataset="digits", view="image")
    first_row = text(page).split("<tr>")[1].split("</tr>")[0]
    assert [cell.split(">")[1] for cell in first_row.split("<td")[1:]] == ["0", "0", "80", "207", "143", "16", "0", "0"]


def test_an_unknown_data_set_is_answered_with_the_known_ones(open_page: Open) -> None:
    page = open_page("data", dataset="imagenet")
    assert "imagenet" in errors(page)
    assert "digits" in errors(page)
    assert "Ankle boot" in text(page)


def test_an_impossible_image_number_is_answered(open_page: Open) -> None:
    page = open_page("data", dataset="digits", image="99999")
    assert "from 0 to 1796" in errors(page)
    page = open_page("data", dataset="digits", image="<b>")
    assert "<b>" in errors(page)


def test_every_data_set_can_be_opened_or_asked_for(open_page: Open) -> None:
    for source in dataset_sources:
        page = open_page("data", dataset=source.name)
        assert not page.error
        assert source.download_megabytes == 0 or page.button(key="get")


def test_what_is_on_this_computer_is_not_said_to_be_elsewhere(
    open_page: Open, fashion_mnist_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page("data", dataset="fashion_mnist")
    assert "not on this computer" not in text(page)
    assert f"on this computer, in {fashion_mnist_folder}" in text(page)
    assert page.button(key="get").label == "Import it"
    downloads = page.dataframe[0].value.set_index("Data set")["Download"]
    assert (downloads["Fashion-MNIST"], downloads["MNIST"]) == ("on this computer", "12 MB")
    monkeypatch.setenv("CNN_PLAYGROUND_DATASET_FOLDERS", "[]")
    assert "Fashion-MNIST is not on this computer yet" in text(open_page("data", dataset="fashion_mnist"))


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_opens(open_page: Open, view: str) -> None:
    for source in INCLUDED_SOURCES:
        page = open_page("data", dataset=source.name, view=view)
        assert not page.error
        assert page.get("button_group")[0].value == view


def test_the_view_is_kept_in_the_address(open_page: Open) -> None:
    page = open_page("data", dataset="digits")
    page.get("button_group")[0].set_value("classes")
    run(page)
    assert query(page)["view"] == "classes"
    assert "Mean image of each class" in text(page)


def test_all_images_of_a_class_can_be_paged_through(open_page: Open) -> None:
    dataset = open_dataset("digits")
    train = dataset.splits["train"]
    threes = train[dataset.labels[train] == 3]
    page = open_page("data", dataset="digits", **{"class": 3})
    assert f"image {threes[0]}<" in text(page)
    page.query_params["page"] = "2"
    run(page)
    assert f"{len(threes)} images of 3" in text(page)
    assert f"image {threes[48]}<" in text(page)
    assert f"image {threes[47]}<" not in text(page)
    page.selectbox(key="choice:class").select(4)
    run(page)
    assert "page" not in query(page)


def test_another_data_set_starts_anew(open_page: Open) -> None:
    page = open_page("data", **{"class": 3, "image": 9000, "view": "samples"})
    page.selectbox(key="choice:dataset").select("digits")
    run(page)
    assert not page.error
    assert set(query(page)) == {"dataset", "view"}


def test_a_failed_download_says_what_is_missing(open_page: Open) -> None:
    page = open_page("data", dataset="kmnist")
    page.button(key="get").click()
    run(page)
    assert preparation_of("kmnist").state()
    assert "Kuzushiji-MNIST" in errors(settled(page))
