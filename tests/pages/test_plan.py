"""Train: four compact parts that say what is chosen, one button, and weights to begin with from other runs."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cnn_core.data.incoming.archives.archive import open_archive
from cnn_core.data.incoming.import_spec import ImportSpec
from cnn_core.data.incoming.importing import import_images
from cnn_core.data.incoming.labels.layout import read_layout
from cnn_core.jobs.queue import submit
from cnn_core.models.presets import network_presets
from cnn_core.planning.recipe import starting_recipe
from cnn_core.recipe import AugmentSpec, Recipe, TrainingSpec
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store
from pages.ui.charts.curves import Record
from pages.ui.charts.figures import curve_option
from pages.ui.charts.network import network_sketch
from pages.ui.charts.schedule import rate_sketch
from pages.ui.forms import augmentation
from tests.data.images import two_classes, write_zip
from tests.pages.conftest import Open, errors, query, recipe_on, run, text
from tests.pages.test_train import put


@pytest.fixture
def clothes(runs: list[str], tmp_path: Path) -> str:
    """An own data set of two classes, its id."""
    files = open_archive(write_zip(tmp_path / "clothes.zip", two_classes(colour=False)))
    layout = read_layout([entry.path for entry in files.entries()])
    return import_images(files, layout, ImportSpec(size=28), "Clothes", made_by="Ada").dataset


def train_button(page: AppTest) -> str:
    return str(page.button(key="train").proto.type)


def test_the_parts_say_what_is_chosen(open_page: Open) -> None:
    page = open_page("train", **{"data.dataset": "digits", "network.preset": "simple_cnn", "training.epochs": 7})
    shown = text(page)
    for words in (
        "Digits 8 × 8",
        "1,797 images · 10 classes · 32 × 32",
        "Rotation 15°",
        "Simple CNN",
        "13 layers · 156k parameters",
        "7 epochs, batches of 32",
        "Adam at 0.001 · constant rate",
    ):
        assert words in shown
    assert "data:image/png" in shown  # thumbnails of the data
    assert [popover.proto.popover.label for popover in page.get("popover")] == [
        "Data",
        "Augmentation",
        "Network",
        "Training",
    ]


def test_images_that_are_not_here_are_not_fetched_for_a_thumbnail(open_page: Open) -> None:
    page = open_page("train", **{"data.dataset": "cifar10"})
    assert "Not here yet: 170 MB" in text(page)
    assert not errors(page)


def test_each_part_leads_to_its_page(open_page: Open) -> None:
    page = open_page("train", **{"data.dataset": "digits"})
    links = {link.proto.label: link.proto.page for link in page.get("page_link")}
    assert links["Look at these images"].startswith("data")
    assert links["See what the steps do"].startswith("augmentation")
    assert links["Shape it layer by layer"].startswith("network")


def test_train_is_quiet_beside_a_run_that_goes_on(open_page: Open) -> None:
    assert train_button(open_page("train")) == "primary"
    for status, button in (("running", "pause"), ("paused", "resume")):
        run_id = put(status)
        page = open_page("train", run=run_id)
        assert train_button(page) == "secondary"
        assert page.button(key=f"{button}:{run_id}").proto.type == "primary"
    assert train_button(open_page("train", run=put("failed", "gone"))) == "primary"


def test_what_differs_from_the_run_on_show_is_said(open_page: Open) -> None:
    page = open_page("train", run=put("finished"))
    assert "Trains the same again" in text(page)
    page.number_input(key="recipe:training.epochs").set_value(5)
    run(page)
    page.number_input(key="recipe:seed").set_value(5)
    run(page)
    assert "2 choices differ from this one" in text(page)


def test_a_network_that_does_not_fit_is_mended_by_a_click(open_page: Open) -> None:
    page = open_page("train", **{"data.dataset": "digits", "network.preset": "lenet5", "data.image_size": 8})
    assert "Cannot work, see below" in text(page)
    page.button(key="repair:0").click()
    run(page)
    while errors(page):  # one finding after the other
        page.button(key="repair:0").click()
        run(page)
    assert not page.button(key="train").disabled
    assert recipe_on(page).network.layers


def test_images_of_the_size_a_network_was_made_for_mend_it_too(open_page: Open) -> None:
    layers = '[{"kind":"conv","channels":4},{"kind":"flatten"},{"kind":"linear","inputs":256}]'
    page = open_page("train", **{"data.dataset": "digits", "network.layers": layers, "data.image_size": 16})
    assert "Layer 3" in errors(page)
    page.button(key="repair:size").click()
    run(page)
    assert not errors(page)
    assert recipe_on(page).data.image_size == 8


def test_any_kept_epoch_of_a_run_is_a_start(open_page: Open, runs: list[str]) -> None:
    first = store().get(runs[1])
    kept = RunFolder(first.id).epochs()
    page = open_page(
        "train", **{"data.dataset": "digits", "network.preset": first.network, "network.start": f"run {first.id}"}
    )
    page.select_slider(key="start:epoch").set_value(kept[0])
    run(page)
    assert query(page)["network.start"] == f"run {first.id} epoch {kept[0]}"
    assert page.selectbox(key="recipe:network.start").value == f"run {first.id} epoch {kept[0]}"
    assert f"starts from run #{first.number}" in text(page)
    assert not errors(page)


def test_a_head_for_other_classes_is_replaced_and_said_so(open_page: Open, clothes: str, runs: list[str]) -> None:
    first = store().get(runs[1])
    page = open_page("train", **{"data.dataset": clothes, "network.preset": first.network, "data.image_size": 8})
    page.selectbox(key="recipe:network.start").select(f"run {first.id} epoch {first.best_epoch}")
    run(page)
    said = text(page)
    assert re.search(r"4 of 5 layers with weights begin with those\. The last one, linear, is replaced", said), said
    assert "it told 10 classes apart, here are 2" in said
    assert not errors(page)
    assert not page.button(key="train").disabled


@pytest.mark.parametrize("preset", network_presets.names())
def test_a_network_is_sketched_within_its_frame(preset: str, summary: Callable[[str], object]) -> None:
    drawing = network_sketch(summary(preset), (1, 28, 28))  # type: ignore[arg-type]
    width = float(re.findall(r'viewBox="0 0 ([\d.]+)', drawing)[0])
    blocks = [
        (float(x), float(wide)) for x, wide in re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', drawing)
    ]
    assert width <= 180
    assert all(x >= 0 and x + wide <= width for x, wide in blocks)


@pytest.fixture
def summary() -> Callable[[str], object]:
    from cnn_core.models.summary import summarise

    def summary(preset: str) -> object:
        found = network_presets.get(preset)
        size = found.image_size or 28
        return summarise(found.layers, (1, size, size), 10)

    return summary


@pytest.mark.parametrize("schedule", ["constant", "step", "cosine", "one_cycle"])
@pytest.mark.parametrize("epochs", [1, 7, 1000])
def test_a_learning_rate_is_drawn_within_its_frame(schedule: str, epochs: int) -> None:
    drawing = rate_sketch(TrainingSpec(schedule=schedule, epochs=epochs), "#000000")  # type: ignore[arg-type]
    points = re.findall(r"([\d.]+),([\d.]+)", re.findall(r'<polyline points="([^"]+)"', drawing)[0])
    assert all(0 <= float(x) <= 176 and 0 <= float(y) <= 44 for x, y in points)
    assert max(float(x) for x, _ in points) == 174


def test_a_step_is_written_in_a_few_words() -> None:
    assert augmentation.short(AugmentSpec(kind="shift", pixels=2)) == "Shift 2 px"
    assert augmentation.short(AugmentSpec(kind="rotation", degrees=12.5)) == "Rotation 12.5°"
    assert augmentation.short(AugmentSpec(kind="horizontal_flip")) == "Horizontal flip"


@pytest.mark.parametrize(
    ("reached", "end"), [(0.3, 1), (1.0, 1), (1.1, 2), (7.0, 10), (19.0, 20), (27.0, 50), (51.0, 100)]
)
def test_the_axis_of_a_young_run_ends_where_the_curve_is(home: Path, reached: float, end: int) -> None:
    values = starting_recipe("digits", "mlp").model_dump()
    values["training"]["epochs"] = 100
    shown = store().get(submit(Recipe.model_validate(values)))
    record = Record()
    record._columns["train", "epoch"], record._columns["train", "loss"] = [reached], [1.0]
    axis = curve_option(shown, record, "loss")["xAxis"]
    assert axis["max"] == end
    assert ("100 are planned" in axis["name"]) == (end < 100)
