"""The section Filter surgery, opened on a real run."""

import math
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnn_core.data.catalogue.library import open_dataset
from cnn_core.inference import Classifier
from cnn_core.inspection.ablation import Ranking
from cnn_core.inspection.recall import compare
from cnn_core.inspection.surgery import Edit, operate
from cnn_core.models.network import build
from cnn_core.models.presets import network_presets
from pages.ui.inside.kernel_paint import rows
from pages.ui.inside.map_ranking import table
from pages.ui.inside.recall_change import option, order, points
from pages.ui.inside.validation import affordable, together
from tests.pages.conftest import run, text


def section(run_id: str, gone: bool = False) -> None:
    """The script of a page that shows nothing else."""
    from cnn_core.data.catalogue.library import open_dataset
    from cnn_core.runs.store import store
    from pages.ui.inside import surgery
    from pages.ui.inside.look import Look
    from pages.ui.understand.classifiers import classifier

    made, dataset = store().get(run_id), open_dataset("digits")
    image = int(dataset.splits["validation"][0])
    network = classifier(made)
    surgery.show(
        Look(made, None, network, None if gone else dataset, dataset.images[image].copy(), int(dataset.labels[image]))
    )


def opened(run_id: str, gone: bool = False) -> AppTest:
    return run(AppTest.from_function(section, args=(run_id, gone), default_timeout=60))


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    return run(app)


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def made_edits(app: AppTest, run_id: str) -> tuple[Edit, ...]:
    try:
        return app.session_state[f"surgery:{run_id}"]
    except KeyError:
        return ()


@pytest.fixture
def run_id(runs: list[str]) -> str:
    """Of the simple_cnn."""
    return runs[-1]


def test_edits_are_made_listed_removed_and_put_back(run_id: str, home: Path) -> None:
    files = {path: path.read_bytes() for path in home.rglob("*.safetensors")}
    app = opened(run_id)
    app.number_input[0].set_value(3)
    run(app)
    press(app, "Silence map 3")
    assert made_edits(app, run_id) == (Edit("0", "zero", 2),)
    app.selectbox[0].set_value("3")
    run(app)
    app.number_input[0].set_value(5)
    app.get("button_group")[0].set_value("sobel_x")
    run(app)
    press(app, "Replace in map 5")
    app.get("button_group")[0].set_value("shuffle")
    run(app)
    press(app, "Shuffle the layer")
    assert made_edits(app, run_id)[1:] == (Edit("3", "kernel", 4, "sobel_x"), Edit("3", "shuffle"))
    shown = text(app)
    for sentence in (
        "1 · Convolution, map 3: silenced",
        "4 · Convolution, map 5: Sobel, left to right for every input",
        "4 · Convolution: weights shuffled among its maps",
    ):
        assert sentence in shown
    press(app, "Remove")
    assert [edit.kind for edit in made_edits(app, run_id)] == ["kernel", "shuffle"]
    press(app, "Put everything back")
    assert made_edits(app, run_id) == ()
    assert "Nothing is edited yet" in text(app)
    assert files
    assert all(path.read_bytes() == before for path, before in files.items())


def test_recall_is_that_of_the_edited_network(run_id: str) -> None:
    app = opened(run_id)
    app.number_input[0].set_value(1)
    press(run(app), "Silence map 1")
    classifier, dataset = Classifier.open(run_id), open_dataset("digits")
    positions = dataset.splits["validation"]
    labels = dataset.labels[positions]
    images = classifier.tensor(np.asarray(dataset.images[positions]))
    before = classifier.network(images).detach().numpy()
    after = operate(classifier.network, [Edit("0", "zero", 0)])(images).detach().numpy()
    shown = " ".join(str(part.proto.body) for part in app.get("html"))
    for share in ((before.argmax(1) == labels).mean(), (after.argmax(1) == labels).mean()):
        assert f"{share * 100:.1f}%" in shown


def test_the_maps_of_a_layer_are_ranked_and_silenced_from_the_table(run_id: str) -> None:
    app = opened(run_id)
    assert "the strongest first" in text(app)
    press(app, "Rank the maps of this layer")
    assert "those that matter most first" in text(app)
    frame = app.dataframe[0].value
    assert sorted(frame["Map"]) == list(range(1, 17))
    assert frame["Accuracy"].is_monotonic_increasing
    assert list(frame.columns[3:]) == [str(digit) for digit in range(10)]
    other = opened(run_id)  # another viewer finds it measured
    assert "Rank the maps of this layer" not in labels(other)


def test_without_the_data_set_only_the_image_changes(run_id: str) -> None:
    app = opened(run_id, gone=True)
    assert "The validation images of this run are not here" in text(app)
    assert "Rank the maps of this layer" not in labels(app)
    press(app, next(label for label in labels(app) if label.startswith("Silence")))
    assert len(made_edits(app, run_id)) == 1


def test_a_linear_layer_offers_what_works_there(run_id: str) -> None:
    app = opened(run_id)
    app.selectbox[0].set_value("12")
    run(app)
    assert app.get("button_group")[0].options == ["Silence", "Random", "Shuffle the layer"]
    app.get("button_group")[0].set_value("random")
    run(app)
    press(app, next(label for label in labels(app) if label.startswith("Replace")))
    assert made_edits(app, run_id)[0].kernel == "random"


def test_painting_is_offered_and_applied(run_id: str) -> None:
    app = opened(run_id)
    app.get("button_group")[0].set_value("painted")
    run(app)
    press(app, next(label for label in labels(app) if label.startswith("Replace")))
    (edit,) = made_edits(app, run_id)
    assert np.array(edit.painted).shape == (3, 3)
    assert np.abs(edit.painted).max() == 1


START = [0.0, 1.0, 0.0, -1.0]


@pytest.mark.parametrize(
    "bad", [None, "x", [1.0], [1, 2, 3, "4"], [math.nan, 0, 0, 0], [math.inf, 0, 0, 0], {"0": 1}, [None] * 4, START * 2]
)
def test_what_a_browser_sends_is_checked(bad: object) -> None:
    assert rows(bad, START) == ((0.0, 1.0), (0.0, -1.0))


def test_values_of_a_browser_are_cut_to_their_range() -> None:
    assert rows([0.5, 7, -3, 0], START) == ((0.5, 1.0), (-1.0, 0.0))


def test_the_chart_shows_what_fell_first_and_leaves_out_absent_classes() -> None:
    labels = np.array([0, 0, 1, 1, 3])
    before, after = np.eye(4)[[0, 0, 1, 0, 3]], np.eye(4)[[0, 1, 1, 1, 0]]
    found = compare(before, after, labels)
    assert order(found).tolist() == [3, 0, 1]
    shown = option(found, ["a", "b", "c", "d"])
    names, changes = (axis["data"] for axis in shown["yAxis"])
    assert names == ["d", "a", "b"]
    assert changes == ["{fell|−100.0}", "{fell|−50.0}", "{rose|+50.0}"]
    assert [bar["value"] for bar in shown["series"][1]["data"]] == [0, 50, 100]


def test_of_a_thousand_classes_those_that_changed_most_are_shown() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 1000, 5000)
    found = compare(random.random((5000, 1000)), random.random((5000, 1000)), labels)
    shown = order(found)
    least = np.abs(found.recall_change[shown]).min()
    assert len(shown) == 20
    assert not (np.abs(np.delete(found.recall_change, shown)) > least).any()


def test_a_table_of_many_maps_and_classes_stays_small() -> None:
    random = np.random.default_rng(0)
    falls, recall = random.standard_normal((2048, 200)), random.random(200)
    falls[:, 7], recall[7] = np.nan, np.nan
    found = Ranking("3", 0.9, recall, random.random(2048), falls, np.ones(2048, np.int64), 1000)
    classes = ["Map", "Accuracy", *["same"] * 198]
    frame, maps = table(found, classes)
    assert frame.shape == (128, 3 + 20)
    assert maps == found.order[:128].tolist()
    assert frame.columns.is_unique
    assert not frame.isna().any(axis=None)


@pytest.mark.parametrize(("side", "images", "batch"), [(28, 2000, 200), (224, 417, 41), (512, 100, 10)])
def test_large_images_are_fewer(side: int, images: int, batch: int) -> None:
    network = build(network_presets.get("simple_cnn").layers, (3, side, side), 10)
    macs = 432 * side**2 + 4608 * (side // 2) ** 2 + 18432 * (side // 4) ** 2 + 128 * 64 * (side // 8) ** 2 + 1280
    assert affordable(network) == min(2000, max(100, int(60e9 / macs)))
    assert (affordable(network), together(network)) == (images, batch)


def test_points_are_words() -> None:
    assert [points(change) for change in (-0.034, 0.5, 0.0)] == ["−3.4 points", "+50.0 points", "no change"]
