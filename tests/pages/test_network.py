"""The page Network: what the doctor says and mends, what cannot be read, the table and the code."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from cnn_core.models.doctor import examine
from cnn_core.models.faulty_networks import faulty_networks
from cnn_core.models.presets import layers_of, network_presets
from cnn_core.planning.recipe import input_of
from tests.pages.conftest import Open, errors, recipe_on, run, text

PRINTED = faulty_networks.get("simple_cnn_128_as_printed")


def link(*layers: dict, **more: str) -> dict[str, str]:
    """Query parameters of layers on the bundled images."""
    return {"network.preset": "simple_cnn", "network.layers": json.dumps(layers), **more}


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label.replace("\\", "") == label).click()
    return run(app)


@pytest.mark.parametrize("view", ["table", "code"])
@pytest.mark.parametrize("preset", ["simple_cnn", "mlp", "inception_small", "resnet_small"])
def test_it_opens_on_a_preset(preset: str, view: str, open_page: Open) -> None:
    app = open_page("network", **{"network.preset": preset, "view": view})
    assert network_presets.get(preset).title in text(app)
    assert not errors(app)
    assert not next(button for button in app.button if button.label == "Train it").disabled
    if view == "code":
        assert "class Network(nn.Module):" in app.code[0].value


def test_the_printed_network_is_named_and_mended_by_a_click(open_page: Open) -> None:
    layers = [{"kind": layer.kind, **layer.parameters} for layer in PRINTED.layers]
    app = open_page("network", **link(*layers, **{"data.image_size": "128"}))
    assert "16,384 numbers come in, 64 maps of 16×16, but it expects 1,024" in text(app)
    assert "1 error" in text(app)
    assert next(button for button in app.button if button.label == "Train it").disabled
    press(app, "Insert an adaptive average pooling to 4×4 before the flatten")
    assert "nothing" in text(app)
    assert not next(button for button in app.button if button.label == "Train it").disabled
    press(open_page("network", **link(*layers, **{"data.image_size": "128"})), "Use images of 32×32")


def test_all_errors_are_named_and_mended_at_once(open_page: Open) -> None:
    wrong = [{"kind": "conv", "kernel": 31, "padding": 0}, {"kind": "linear"}, {"kind": "max_pool"}, {"kind": "relu"}]
    app = open_page("network", **link(*wrong))
    assert text(app).count("Layer ") >= 2
    press(app, "Mend all errors")
    recipe = recipe_on(app)
    assert not [
        finding for finding in examine(layers_of(recipe.network), *input_of(recipe)) if finding.severity == "error"
    ]


HOSTILE = ("<script>alert(1)</script>", "**b** $x$ :cat:", "x" * 5000)


@pytest.mark.parametrize("kind", HOSTILE, ids=["script", "markdown", "long"])
def test_a_kind_that_is_none_is_a_sentence_and_can_be_removed(kind: str, open_page: Open) -> None:
    app = open_page("network", **link({"kind": kind}, {"kind": "flatten"}, {"kind": "linear"}))
    assert "1 error" in text(app)
    assert "<script>" not in "".join(part.value for part in app.markdown if "unsafe" in str(part))
    press(app, "Remove it")
    assert [layer.kind for layer in layers_of(recipe_on(app).network)] == ["flatten", "linear"]


def test_an_address_that_is_no_network_is_a_sentence(open_page: Open) -> None:
    app = open_page("network", **{"network.preset": "simple_cnn", "network.layers": "[[[["})
    assert "not valid JSON" in errors(app)


def test_it_is_carried_to_the_next_visit_of_the_session(open_page: Open) -> None:
    app = open_page("network", **{"network.preset": "mlp"})
    app.switch_page("pages/data.py")
    run(app)
    app.query_params.clear()
    app.switch_page("pages/network.py")
    run(app)
    assert "Plain dense network" in text(app)
