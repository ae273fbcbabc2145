"""Code without a browser: of a recipe's file, with and without the training."""

import json
from pathlib import Path

import pytest

from cnn_core.command_line.program import main
from cnn_core.planning.recipe import starting_recipe


@pytest.mark.parametrize("alone", [True, False])
def test_code_of_a_recipe(alone: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "recipe.json"
    file.write_text(starting_recipe(network="simple_cnn").to_json())
    assert main(["code", str(file), *(["--network-only"] if alone else [])]) == 0
    printed = capsys.readouterr().out
    compile(printed, "train.py", "exec")
    assert "class Network(nn.Module):" in printed
    assert ("optimiser.step()" in printed) is not alone


def test_a_network_that_cannot_work_has_no_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "recipe.json"
    file.write_text(json.dumps({"network": {"layers": [{"kind": "linear"}]}}))
    assert main(["code", str(file)]) == 2
    assert "Layer 1, linear: it takes a row of numbers" in capsys.readouterr().err
    assert main(["code", "00000000"]) == 2
