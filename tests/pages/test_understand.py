"""Evaluate, Inside and Classify, on finished runs and without any."""

import base64
import io
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.metrics import confusion_matrix, f1_score
from streamlit.testing.v1 import AppTest

from cnn_core.data.catalogue.library import open_dataset
from cnn_core.recipe import Recipe
from cnn_core.runs.events import EpochEnd, Report
from cnn_core.runs.folder import Predictions, RunFolder
from cnn_core.runs.store import store
from pages.ui.data import datasets
from pages.ui.understand.classifiers import classifier
from tests.packed import unpack_frame
from tests.pages.conftest import Open, digits_recipe, errors, query, run, text, train

BARS = 'class="cnn-bars"'
PAGES = ("evaluate", "inside", "classify")


def png(side: int = 40) -> bytes:
    """An image as a person might upload it: RGB noise."""
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (side, side, 3), np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("name", PAGES)
def test_an_empty_store_points_to_train(open_page: Open, name: str) -> None:
    page = open_page(name)
    assert "No network has learned anything here yet" in text(page)
    assert [link.label for link in page.get("page_link")] == ["Train a network"]


@pytest.mark.parametrize("name", PAGES)
def test_the_latest_run_is_shown_and_in_the_address(open_page: Open, runs: list[str], name: str) -> None:
    page = open_page(name)
    assert query(page)["run"] == runs[0]
    assert not page.error


@pytest.mark.parametrize("name", PAGES)
def test_an_unknown_run_is_answered_and_another_shown(open_page: Open, runs: list[str], name: str) -> None:
    page = open_page(name, run="nowhere")
    assert "nowhere" in errors(page)
    assert page.selectbox(key="choice:run").value == runs[0]


def test_the_numbers_are_those_of_the_predictions(open_page: Open, runs: list[str]) -> None:
    page = open_page("evaluate", run=runs[1])
    predictions = RunFolder(runs[1]).predictions()
    assert predictions is not None
    accuracy = (predictions.predicted == predictions.labels).mean()
    assert f"{accuracy * 100:.2f}%" in text(page)
    table = page.dataframe[0].value
    assert list(table["class"])[-2:] == ["Macro mean", "Weighted mean"]
    assert table["support"].iloc[:10].sum() == len(predictions.labels)


def test_an_undefined_number_is_a_dash_and_left_out_of_the_means(open_page: Open, runs: list[str]) -> None:
    folder = RunFolder(runs[0])
    predictions = folder.predictions()
    assert predictions is not None
    always_three = np.zeros_like(predictions.probabilities)
    always_three[:, 3] = 1.0
    folder.write_predictions(Predictions(predictions.indices, predictions.labels, always_three))
    page = open_page("evaluate", run=runs[0])
    table = page.dataframe[0].value
    assert table["precision"].isna().sum() == 9
    assert table["precision"].iloc[10] == pytest.approx(100 * (predictions.labels == 3).mean())
    assert page.dataframe[0].proto.placeholder == "–"
    assert "Precision over 1, Recall over 10, F1 over 10 of 10 classes" in text(page)


@pytest.mark.parametrize("name", ["train", "evaluate"])
def test_overfitting_is_said_with_its_evidence(open_page: Open, runs: list[str], name: str) -> None:
    assert "Overfitting" not in text(open_page(name, run=runs[0]))
    assert store().move(runs[0], ("finished",), "running", worker="here")
    common = {"learning_rate": 1e-3, "images_per_second": 1.0, "seconds": 1.0}
    for epoch in range(10, 16):  # as if training went on
        step, shift = 1000 * epoch, (epoch - 10) / 50
        store().record(
            runs[0],
            "here",
            Report(step=step, epoch=epoch, loss=0.4 - shift, train_accuracy=0.86 + shift, **common),
            EpochEnd(
                step=step,
                epoch=epoch,
                loss=0.2 + shift,
                validation_accuracy=0.86,
                best_epoch=10,
                best_validation_loss=0.2,
                **common,
            ),
        )
    store().move(runs[0], ("running",), "finished")
    page = open_page(name, run=runs[0])
    assert "since epoch 10 the validation loss rose from 0.200 to 0.300, while the training loss fell" in text(page)


def test_a_cell_opens_its_images(open_page: Open, runs: list[str]) -> None:
    page = open_page("evaluate", run=runs[0])
    predictions = RunFolder(runs[0]).predictions()
    assert predictions is not None
    page.selectbox(key="cell:true").select(3)
    run(page)
    page.selectbox(key="cell:predicted").select(3)
    run(page)
    inside = int(((predictions.labels == 3) & (predictions.predicted == 3)).sum())
    assert f"{inside} images of **3** called **3**" in text(page)
    assert (query(page)["true"], query(page)["predicted"]) == ("3", "3")


def test_a_run_is_judged_on_the_validation_images_it_had(home: Path) -> None:
    values = digits_recipe("mlp", 1).model_dump()
    values["data"]["validation_fraction"] = 0.4
    tried = store().get(train(Recipe.model_validate(values), "split"))
    shown = datasets.of_run(tried)
    own = open_dataset("digits")
    assert len(shown.splits["validation"]) == round(0.4 * (len(own.labels) - len(own.splits["test"])))
    assert tried.dataset_hash == shown.content_hash != own.content_hash
    assert RunFolder(tried.id).plan()["mean"] == list(shown.mean)
    predictions = RunFolder(tried.id).predictions()
    assert predictions is not None
    assert np.array_equal(predictions.indices, own.splits["test"])
    last = [metric for metric in store().metrics(tried.id) if metric.kind == "validation"][-1]
    said = classifier(tried).classify_many(shown.images, shown.splits["validation"]).argmax(axis=1)
    assert (said == shown.labels[shown.splits["validation"]]).mean() == pytest.approx(last.accuracy)


def fed(page: AppTest) -> dict[str, Any]:
    """What the stage on a page is fed with."""
    parts = [part.proto for part in page.get("bidi_component") if part.proto.component_name == "cnn_playground_feed"]
    return unpack_frame(parts[0].bytes)


def test_the_stage_is_fed_with_every_operation(open_page: Open, runs: list[str]) -> None:
    shown = fed(open_page("inside", run=runs[0], **{"class": 4, "image": 2}))
    of_run = store().get(runs[0])
    dataset = datasets.of_run(of_run)
    image = dataset.images[dataset.splits["test"][dataset.labels[dataset.splits["test"]] == 4][2]]
    assert [node["address"] for node in shown["frame"]["nodes"]] == [
        *(str(position) for position in range(len(of_run.recipe.network.layers))),
        "softmax",
    ]
    assert (shown["frame"]["image"] == image).all()
    assert np.allclose(shown["frame"]["probabilities"], classifier(of_run).classify(image[None])[0])
    assert (shown["truth"], shown["epoch"], shown["best"]) == (4, of_run.best_epoch, of_run.best_epoch)


def test_any_kept_epoch_can_be_opened_with_its_measures(open_page: Open, runs: list[str]) -> None:
    of_run = store().get(runs[0])
    dataset = datasets.of_run(of_run)
    validation = dataset.splits["validation"]
    labels = dataset.labels[validation]
    for epoch in RunFolder(runs[0]).epochs():
        shown = fed(open_page("inside", run=runs[0], epoch=epoch))
        predicted = classifier(of_run, epoch).classify_many(dataset.images, validation).argmax(1)
        measures = shown["measures"]
        assert (shown["epoch"], measures["count"]) == (epoch, len(validation))
        assert (measures["confusion"] == confusion_matrix(labels, predicted, labels=range(10))).all()
        expected = f1_score(labels, predicted, labels=list(range(10)), average=None, zero_division=np.nan)
        np.testing.assert_allclose(measures["f1"], expected, rtol=1e-6)


def test_wrong_choices_in_the_address_are_answered(open_page: Open, runs: list[str]) -> None:
    page = open_page("inside", run=runs[0], epoch="77", image="-1", **{"from": "nowhere"})
    assert all(word in errors(page) for word in ("77", "nowhere", "-1"))
    assert fed(page)["epoch"] == store().get(runs[0]).best_epoch


def test_an_image_of_ones_own_goes_through_the_layers(open_page: Open, runs: list[str]) -> None:
    page = open_page("inside", run=runs[0], **{"from": "upload"})
    page.file_uploader[0].set_value(("cat.png", png(), "image/png"))
    assert not run(page).error
    assert fed(page)["truth"] is None
    network = classifier(store().get(runs[0]))
    seen = network.see(Image.open(io.BytesIO(png())))
    assert (fed(page)["frame"]["image"] == seen).all()


@pytest.mark.usefixtures("gone")
def test_a_run_whose_data_set_is_gone_can_be_looked_into(open_page: Open, runs: list[str]) -> None:
    page = open_page("inside", run=runs[0])
    assert not page.error
    assert "not here any more. You can still look inside: upload, photograph or draw an image" in text(page)
    assert fed(page)["measures"] is None
    assert fed(page)["frame"]["image"].max() == 0
    page.segmented_control(key="choice:from").set_value("upload")
    run(page).file_uploader[0].set_value(("cat.png", png(), "image/png"))
    assert fed(run(page))["frame"]["image"].max() > 0


def test_a_data_set_that_was_deleted_is_named(
    open_page: Open, runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "of_run", lambda run: open_dataset("own-0123"))
    page = open_page("inside", run=runs[0])
    assert not page.error
    assert "The data set “digits”, which this run learned from, has been deleted." in text(page)
    assert fed(page)["measures"] is None


def test_sample_images_are_classified_until_there_is_an_upload(open_page: Open, runs: list[str]) -> None:
    page = open_page("classify")
    assert text(page).count(BARS) == 6
    page.file_uploader[0].set_value([("cat.png", png(), "image/png")])
    run(page)
    assert "cat.png" in text(page)
    assert text(page).count(BARS) == 1
    assert page_steps(page) == [["1 · the image, 40 × 40 pixels.", "2 · centre square, 8×8, grey"]]


def test_a_bad_file_is_named_and_the_others_still_work(open_page: Open, runs: list[str]) -> None:
    page = open_page("classify")
    evil = "![x](http://a.b)<img>.png"
    files = [("good.png", png()), ("broken.png", png()[:200]), (evil, b"no image"), ("fine.png", png(9))]
    page.file_uploader[0].set_value([(name, data, "image/png") for name, data in files])
    run(page)
    assert "broken.png is damaged" in errors(page)
    assert evil.split("/")[-1] in errors(page)
    assert "good.png" in text(page)
    assert "fine.png" in text(page)
    assert text(page).count(BARS) == 2
    assert not any("![x]" in message.value for message in page.error)


def test_too_many_files_at_once(open_page: Open, runs: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNN_PLAYGROUND_UPLOAD_FILES", "2")
    page = open_page("classify")
    page.file_uploader[0].set_value([(f"{number}.png", png(), "image/png") for number in range(3)])
    run(page)
    assert "3 files are too many" in errors(page)
    assert text(page).count(BARS) == 2


def page_steps(page: AppTest) -> list[list[str]]:
    """What is written below the images of each upload, on its way to the network."""
    ways = re.findall(r'cnn-steps">(.*?)</div>', text(page))
    return [re.findall(r"<figcaption>([^<]*)", way) for way in ways]


def page_arrays(page: AppTest) -> list[np.ndarray]:
    """The images of the uploads' steps, decoded."""
    ways = " ".join(re.findall(r'cnn-steps">(.*?)</div>', text(page)))
    found = re.findall(r'src="data:image/[a-z]+;base64,([^"]+)"', ways)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))) for data in found]


def grey_png(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG")
    return buffer.getvalue()


def digit(position: int = 0, inverted: bool = False) -> bytes:
    """A test image of the digits as a file."""
    dataset = open_dataset("digits")
    values = np.asarray(dataset.images[dataset.splits["test"][position], 0])
    return grey_png(255 - values if inverted else values)


def upload(page: AppTest, **files: bytes) -> AppTest:
    page.file_uploader[0].set_value([(f"{name}.png", data, "image/png") for name, data in files.items()])
    return run(page)


def test_a_white_background_proposes_to_invert_and_one_click_does(open_page: Open, runs: list[str]) -> None:
    page = upload(open_page("classify", run=runs[1]), paper=digit(inverted=True), screen=digit())
    assert "paper\\.png** has a light background; the training images have a dark one" in raw(page)
    before = text(page).split(BARS)[1:]
    page.button(key="invert-them").click()
    run(page)
    assert query(page)["invert"] == "match"
    paper, screen = page_steps(page)
    assert paper == ["1 · the image, 8 × 8 pixels.", "2 · centre square, 8×8, grey", "3 · inverted"]
    assert screen == paper[:2]
    after = text(page).split(BARS)[1:]
    assert after[0] != before[0]
    assert after[1].split("</div>")[0] == before[1].split("</div>")[0]
    assert after[0].split("</div>")[0] == after[1].split("</div>")[0]  # the same digit, the same answer
    assert not [button for button in page.button if button.key == "invert-them"]


def test_the_steps_show_what_the_network_gets(open_page: Open, runs: list[str]) -> None:
    page = upload(open_page("classify", invert="all"), digit=digit(3))
    whole, fitted, inverted = page_arrays(page)
    dataset = open_dataset("digits")
    expected = np.asarray(dataset.images[dataset.splits["test"][3], 0])
    assert (whole == expected[..., None]).all()
    assert (fitted == expected).all()
    assert (inverted == 255 - expected).all()
    assert text(page).count("the network gets this") == 1


def test_a_long_image_takes_no_more_room_than_another(open_page: Open, runs: list[str]) -> None:
    page = upload(open_page("classify"), long=grey_png(np.full((2000, 60), 200, np.uint8)))
    assert page_arrays(page)[0].shape[:2] == (320, 10)
    assert 'class="cnn-boxed"' in text(page)  # in a square


def test_a_flat_grey_is_unlike_the_training_images_and_a_digit_is_not(open_page: Open, runs: list[str]) -> None:
    page = upload(open_page("classify", run=runs[1]), flat=grey_png(np.full((60, 60), 128, np.uint8)))
    assert ["Unlike the training images" in message.value for message in page.warning] == [True]
    assert "further from them than 100.0% of 153 validation images" in page.warning[0].value
    page = upload(open_page("classify", run=runs[1]), digit=digit(3))
    assert not page.warning
    assert "Like the training images: further from them than" in text(page)


def test_without_its_data_set_a_run_still_classifies(open_page: Open, runs: list[str], home: Path) -> None:
    shutil.rmtree(home / "datasets")
    (home / "datasets").write_text("no folder: nothing can be imported here")
    page = open_page("classify")
    assert len(page.error) == 1
    upload(page, digit=digit_of_scikit_learn())
    assert text(page).count(BARS) == 1
    assert not page.warning


def digit_of_scikit_learn() -> bytes:
    return grey_png(np.rint(load_digits().images[0] * (255 / 16)).astype(np.uint8))


def raw(page: AppTest) -> str:
    return " ".join(part.value for part in page.markdown)


def test_an_upload_on_the_stage_is_inverted_as_chosen(open_page: Open, runs: list[str]) -> None:
    page = open_page("inside", run=runs[1], invert="match", **{"from": "upload"})
    upload(page, paper=digit(inverted=True))
    assert page.segmented_control(key="choice:invert").value == "match"
    inverted = fed(page)["frame"]["image"]
    assert "Like the training images" in text(page)
    page.segmented_control(key="choice:invert").set_value("no")
    assert (fed(run(page))["frame"]["image"] == 255 - inverted).all()
    assert any("Unlike the training images" in message.value for message in page.warning)


def test_classify_says_how_deep_values_were_scaled(open_page: Open, runs: list[str]) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.linspace(0, 4095, 64 * 48).astype(np.uint16).reshape(64, 48)).save(buffer, "TIFF")
    page = open_page("classify")
    page.file_uploader[0].set_value(("xray.tif", buffer.getvalue(), "image/tiff"))
    assert "the image, 48 × 64 pixels. Values from 0 to 4,095 became 0 to 255." in text(run(page))
