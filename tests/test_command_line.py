"""`python -m cnn_core` as a person would use it."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
import torch
from PIL import Image

from cnn_core.command_line.program import main
from cnn_core.data.catalogue.library import open_dataset
from cnn_core.models.presets import network_presets
from cnn_core.planning import networks
from cnn_core.planning.recipe import starting_recipe
from cnn_core.recipe import Recipe
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store
from tests.data.images import two_classes, write_zip

ROOT = Path(__file__).parents[1]


def start(*arguments: str) -> subprocess.Popen[str]:
    """A process that Ctrl-C reaches, also where these tests run in the background of a shell that ignores it there."""
    command = [sys.executable, "-m", "cnn_core", *arguments]
    heard = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, heard)


def run(*arguments: str) -> tuple[int, list[dict], str]:
    """Exit code, the JSON lines of standard output, and standard error; in this process, which has torch already."""
    with redirect_stdout(StringIO()) as output, redirect_stderr(StringIO()) as errors:
        code = main(arguments)
    lines = [json.loads(line, parse_constant=no_json) for line in output.getvalue().splitlines()]
    return code, lines, errors.getvalue()


def no_json(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


@pytest.fixture(autouse=True)
def signals_are_heard() -> Iterator[None]:
    """Training ends with signals ignored, as its process ends then."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_train_evaluate_predict_and_list(home: Path, tmp_path: Path) -> None:
    process = start("train", "--dataset", "digits", "--network", "simple_cnn", "--epochs", "2", "--seed", "7")
    output, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, "")
    lines = [json.loads(line) for line in output.splitlines()]
    summary = lines[-1]
    assert {"report", "epochend", "finished"} <= {line.get("event") for line in lines}
    trained = store().get(summary["run"])
    assert (trained.recipe.seed, trained.recipe.training.epochs, trained.status) == (7, 2, "finished")
    assert summary["test_accuracy"] == trained.test_accuracy

    code, lines, _ = run("evaluate", summary["run"])
    assert code == 0
    assert lines[0]["accuracy"] == pytest.approx(trained.test_accuracy)
    assert [row["class"] for row in lines[0]["per_class"]] == RunFolder(summary["run"]).plan()["classes"]

    digits = open_dataset("digits")
    index = int(digits.splits["test"][0])
    Image.fromarray(digits.images[index, 0]).save(tmp_path / "digit.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG nothing")
    code, lines, errors = run("predict", summary["run"], str(tmp_path / "broken.png"), str(tmp_path / "digit.png"))
    assert code == 2
    assert "broken.png" in errors
    assert len(lines) == 1, errors
    assert "Traceback" not in errors
    [[_, best], *_] = lines[0]["top"]
    expected = RunFolder(summary["run"]).predictions()
    # A run may be tested in bfloat16, where that was measured to be faster; images are classified in float32
    assert best == pytest.approx(float(expected.probabilities[0].max()), abs=1e-2)

    assert [line["run"] for line in run("runs")[1]] == [summary["run"]]


def test_lists_name_everything(home: Path) -> None:
    assert {"fashion_mnist_sample", "digits", "cifar10"} <= {line["dataset"] for line in run("datasets")[1]}
    assert {"simple_cnn", "compact_resnet"} <= {line["network"] for line in run("networks")[1]}


def test_a_saved_network_is_listed_and_trained_by_its_name(home: Path) -> None:
    layers = network_presets.get("mlp").layers
    networks.save("My <net>", layers, owner="Ada", teaches="Why.")
    assert {"network": "My <net>", "saved_by": "Ada", "teaches": "Why."} in run("networks")[1]
    code, lines, _ = run("train", "--dataset", "digits", "--network", "my <NET>", "--epochs", "1")
    assert code == 0
    trained = store().get(lines[-1]["run"])
    assert (trained.recipe.network.layers, trained.name) == (layers, "My <net> · Digits 8 × 8")
    code, _, errors = run("train", "--network", "my net")
    assert code == 2
    assert "no network called 'my net'" in errors


def test_a_recipe_from_a_file(home: Path, tmp_path: Path) -> None:
    values = starting_recipe("digits", "mlp").model_dump()
    values["training"]["epochs"] = 1
    path = tmp_path / "recipe.json"
    path.write_text(Recipe.model_validate(values).to_json())
    code, lines, _ = run("train", "--recipe", str(path))
    assert code == 0
    assert store().get(lines[-1]["run"]).recipe.data.dataset == "digits"


def test_ctrl_c_keeps_the_run_and_resume_goes_on(home: Path) -> None:
    process = start("train", "--dataset", "digits", "--network", "mlp", "--epochs", "60")
    assert process.stdout
    for line in process.stdout:
        if json.loads(line).get("event") == "epochend":
            break
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    summary = json.loads(output.splitlines()[-1])
    assert (process.returncode, summary["status"]) == (130, "interrupted")
    assert f"python -m cnn_core train --resume {summary['run']}" in errors
    assert "press" not in errors.lower()
    code, lines, _ = run("train", "--resume", summary["run"])
    assert (code, lines[-1]["status"]) == (0, "finished")
    started = next(line for line in lines if line["event"] == "started")
    assert started["step"] > 0


def test_a_run_that_diverges_ends_with_its_reason(home: Path, tmp_path: Path) -> None:
    values = starting_recipe("digits", "mlp").model_dump()
    values["training"] |= {
        "optimiser": "sgd",
        "learning_rate": 10.0,
        "momentum": 0.99,
        "epochs": 30,
        "schedule": "constant",
    }
    path = tmp_path / "recipe.json"
    path.write_text(Recipe.model_validate(values).to_json())
    code, lines, _ = run("train", "--recipe", str(path))
    assert (code, lines[-1]["status"]) == (1, "diverged")
    assert "try 1" in lines[-1]["message"]


def test_import_prints_the_report_and_the_id_last(home: Path, tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "clothes.zip", two_classes())
    process = start("import", str(archive), "--name", "Clothes", "--size", "32", "--greyscale")
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    *report, dataset = output.splitlines()
    told = json.loads("\n".join(report))
    assert told["dataset"] == dataset
    assert told["shape"] == [1, 32, 32]
    assert told["kept"]["boots"]["train"] + told["kept"]["trousers"]["train"] > 12
    assert open_dataset(dataset).shape == (1, 32, 32)
    code, lines, _ = run("train", "--dataset", dataset, "--network", "simple_cnn", "--epochs", "1")
    assert code == 0
    assert lines[-1]["status"] == "finished"


@pytest.mark.parametrize(
    ("files", "options", "sentence"),
    [
        ({"../boots/1.jpg": b"x", "hats/2.jpg": b"y"}, (), "climbs out of its folder"),
        ({"boots/1.jpg": b"x"}, (), "At least two are needed"),
        ({"boots/1.jpg": b"x", "hats/2.jpg": b"y"}, ("--size", "5"), "import size"),
    ],
)
def test_a_refused_import_is_one_sentence(
    home: Path, tmp_path: Path, files: dict[str, bytes], options: tuple[str, ...], sentence: str
) -> None:
    archive = write_zip(tmp_path / "clothes.zip", files)
    process = start("import", str(archive), "--name", "Clothes", *options)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (2, "")
    assert len(errors.strip().splitlines()) == 1
    assert sentence in errors
    assert not list(home.rglob("own-*"))


@pytest.mark.parametrize(
    ("devices", "expected"), [("cpu", "cpu"), ("cuda:1, cpu", "cuda:1"), ("auto", "auto"), ("", "auto")]
)
def test_train_takes_the_operators_first_device(
    home: Path, monkeypatch: pytest.MonkeyPatch, devices: str, expected: str
) -> None:
    taken = []
    monkeypatch.setenv("CNN_PLAYGROUND_DEVICES", devices)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr("cnn_core.jobs.execute.execute", lambda run, worker, device, *_: taken.append(device))
    monkeypatch.setattr("cnn_core.training.hardware.choose_device", lambda wanted: torch.device("cpu"))
    monkeypatch.setattr("signal.signal", lambda *_: None)
    main(["train", "--dataset", "digits"])
    assert taken == [expected]
