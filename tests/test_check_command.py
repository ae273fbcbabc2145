"""`python -m cnn_core check`."""

import json
from pathlib import Path

from cnn_core.models import editing
from cnn_core.models.presets import network_presets
from cnn_core.planning.recipe import check, starting_recipe
from cnn_core.recipe import Recipe
from tests.test_command_line import run


def recipe_of(folder: Path, preset: str, **linear: int) -> Path:
    """One for 28×28 images of ten classes, its first linear layer with other parameters."""
    layers = network_presets.get(preset).layers
    at = next(place for place, layer in enumerate(layers) if layer.kind == "linear")
    recipe = starting_recipe("fashion_mnist_sample", preset)
    network = recipe.network.model_copy(update={"layers": editing.set_parameters(layers, (at,), **linear)})
    path = folder / "recipe.json"
    path.write_text(recipe.model_copy(update={"network": network}).to_json())
    return path


def test_what_works_says_nothing(home: Path, tmp_path: Path) -> None:
    assert run("check", str(recipe_of(tmp_path, "simple_cnn"))) == (0, [], "")


def test_advice_is_a_line_and_no_failure(home: Path, tmp_path: Path) -> None:
    code, lines, errors = run("check", str(recipe_of(tmp_path, "two_conv_net")))
    assert (code, errors) == (0, "")
    assert [(line["severity"], line["code"], line["path"], line["layer"]) for line in lines] == [
        ("advice", "sigmoid_before_loss", [8], "Sigmoid")
    ]


def test_what_cannot_work_is_a_line_each_and_exit_code_2(home: Path, tmp_path: Path) -> None:
    code, (line,), errors = run("check", str(recipe_of(tmp_path, "simple_cnn", inputs=64)))
    assert code == 2
    assert errors == "This network cannot work because of one thing. Write a repaired recipe with --repair OUT.json.\n"
    assert line == {
        **{"severity": "error", "code": "linear_inputs", "path": [10], "layer": "Linear"},
        "sentence": "1,024 numbers come in, 64 maps of 4×4, but it expects 64, which are 64 maps of 1×1, as 8×8 images "
        "give them.",
        "repair": "Let it take the 1,024 numbers that come in",
        "other_repairs": ["Insert an adaptive average pooling to 1×1 before the flatten"],
        "image_size": 8,
    }


def test_the_repaired_recipe_is_written_and_works(home: Path, tmp_path: Path) -> None:
    path, repaired = recipe_of(tmp_path, "simple_cnn", inputs=64), tmp_path / "repaired.json"
    before = path.read_text()
    code, lines, errors = run("check", str(path), "--repair", str(repaired))
    assert (code, len(lines), errors) == (0, 1, "")
    assert path.read_text() == before
    assert run("check", str(repaired)) == (0, [], "")
    check(Recipe.from_json(repaired.read_text()))
    assert json.loads(repaired.read_text())["network"]["layers"][10] == {"kind": "linear", "features": 128, "inputs": 0}


def test_a_recipe_may_be_repaired_in_its_place(home: Path, tmp_path: Path) -> None:
    path = recipe_of(tmp_path, "simple_cnn", inputs=64)
    assert run("check", str(path), "--repair", str(path))[0] == 0
    assert run("check", str(path)) == (0, [], "")
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_what_is_wrong_elsewhere_in_the_recipe_is_said_too(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps({"augment": [{"kind": "blur", "strength": 1}]}))
    code, lines, errors = run("check", str(path))
    assert (code, lines) == (2, [])
    assert "blur" in errors


def test_a_place_that_cannot_be_written_is_a_sentence(home: Path, tmp_path: Path) -> None:
    code, _, errors = run(
        "check", str(recipe_of(tmp_path, "simple_cnn")), "--repair", str(tmp_path / "no" / "out.json")
    )
    assert code == 2
    assert "out.json cannot be written: No such file or directory." in errors
