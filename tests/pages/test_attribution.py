"""Why a network answered so, on the page Inside."""

from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from cnn_core.inference import Classifier
from cnn_core.inspection.attribution import METHODS
from cnn_core.models.network import Network
from cnn_core.runs.store import store
from tests.pages.conftest import Open, digits_recipe, errors, query, run, text, train


def why(open_page: Open, **asked: object) -> AppTest:
    return open_page("inside", view="why", **asked)


@pytest.mark.parametrize("method", METHODS)
def test_predicted_and_true_class_stand_side_by_side(open_page: Open, runs: list[str], method: str) -> None:
    page = why(open_page, run=runs[0], method=method, **{"class": 4, "image": 2})
    assert not page.error
    assert text(page).count('class="cnn-regions"') == 4
    assert "· predicted" in text(page)
    assert "Sanity check: " in text(page)
    assert "Rank correlation" in text(page)


def test_choices_are_in_the_address(open_page: Open, runs: list[str]) -> None:
    page = why(open_page, run=runs[0], method="grad_cam", conv="0", target=7)
    assert page.selectbox(key="choice:target").value == 7
    page.selectbox(key="choice:target").set_value(3)
    assert query(run(page))["target"] == "3"
    page.selectbox(key="choice:method").set_value("occlusion")
    assert query(run(page))["method"] == "occlusion"


@pytest.mark.usefixtures("gone")
def test_it_works_without_the_data_set(open_page: Open, runs: list[str]) -> None:
    page = why(open_page, run=runs[0], method="saliency")
    assert not page.error
    assert "not here any more" in text(page)
    assert 'class="cnn-regions"' in text(page)


def test_a_layer_of_another_view_is_let_go_and_an_unknown_one_named(open_page: Open, runs: list[str]) -> None:
    layers = store().get(runs[0]).recipe.network.layers
    linear = next(str(place) for place, layer in enumerate(layers) if layer.kind == "linear")
    page = why(open_page, run=runs[0], layer=linear)
    assert not page.error
    assert "layer" not in query(page)
    assert "no layer" in errors(why(open_page, run=runs[0], conv="99"))


def test_a_dense_network_begins_with_a_method_that_it_has(open_page: Open, home: Path) -> None:
    run_id = train(digits_recipe("mlp", 1), "dense")
    page = why(open_page, run=run_id)
    assert not page.error
    assert page.selectbox(key="choice:method").value == "integrated_gradients"
    refused = why(open_page, run=run_id, method="grad_cam")
    assert "no convolution" in errors(refused)
    assert "cnn-regions" not in text(refused)


def test_a_network_that_diverged_is_a_sentence(
    open_page: Open, runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(network: Network) -> Network:
        with torch.no_grad():
            network.get_parameter("0.weight").fill_(float("nan"))
        return network

    opened = Classifier.open
    monkeypatch.setattr(
        Classifier,
        "open",
        lambda run_id, epoch=None: (found := opened(run_id, epoch), broken(found.network))[0],
    )
    assert "not finite" in errors(why(open_page, run=runs[0]))


def of_a_tiny_network(classes: int, channels: int, label: int | None) -> None:
    """Drawn by AppTest: a run whose data set is gone, with a network of its own."""
    import numpy
    import torch

    from cnn_core.inference import Classifier
    from cnn_core.models.network import build
    from cnn_core.models.preset import layer
    from cnn_core.runs.store import store
    from pages.ui.inside import attribution
    from pages.ui.inside.look import Look

    layers = (layer("conv", channels=2), layer("relu"), layer("flatten"), layer("linear"))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build(layers, (channels, 8, 8), classes).eval()
    names = tuple(f"*{number}* <b>" for number in range(classes))
    image = numpy.random.default_rng(0).integers(0, 256, (channels, 8, 8), numpy.uint8)
    attribution.show(Look(store().runs()[0], None, Classifier(network, names, (channels, 8, 8)), None, image, label))


@pytest.mark.parametrize(("classes", "channels", "label"), [(1, 1, 0), (2, 3, None), (1000, 3, 999), (2, 1, 7)])
def test_any_number_of_classes_and_colours(
    open_page: Open, runs: list[str], classes: int, channels: int, label: int | None
) -> None:
    app = AppTest.from_function(of_a_tiny_network, args=(classes, channels, label), default_timeout=60)
    page = run(app)
    assert not page.error
    assert text(page).count('class="cnn-regions"') == (2 if classes == 1 else 4)
    assert ("true class" in text(page)) == (label is not None and label < classes)
