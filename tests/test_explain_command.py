"""`python -m cnn_core explain`: an attribution without a browser."""

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnn_core.inference import Classifier
from cnn_core.inspection.attribution import METHODS, attribute
from cnn_core.inspection.attribution_check import by_region
from cnn_core.inspection.montage import enlarge
from cnn_core.inspection.overlay import overlay
from cnn_core.runs.store import store
from tests.pages.conftest import train_in
from tests.test_command_line import run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one finished run on digits."""
    return train_in(tmp_path_factory.mktemp("explained") / "home", one=("simple_cnn", 1))


@pytest.fixture
def trained(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Id of the run."""
    monkeypatch.setenv("CNN_PLAYGROUND_HOME", str(folder))
    return store().runs()[0].id


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("images") / "mine.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (20, 20), np.uint8)).save(path)
    return path


def test_every_method_answers_and_draws(trained: str, image: Path, tmp_path: Path) -> None:
    classifier = Classifier.open(trained)
    with Image.open(image) as opened:
        seen = classifier.see(opened)
    for method in METHODS:
        out = tmp_path / f"{method}.png"
        code, lines, errors = run("explain", trained, str(image), "--method", method, "--out", str(out))
        assert (code, errors) == (0, "")
        target = int(classifier.classify(seen[None])[0].argmax())
        found = attribute(classifier.network, classifier.tensor(seen[None]), target, method)
        np.testing.assert_allclose(lines[0]["regions"], by_region(found), atol=1e-3)
        assert lines[0]["predicted"] == lines[0]["class"] == classifier.classes[target]
        with Image.open(out) as drawn:
            width, height = drawn.size
            whole = np.asarray(drawn)
        assert (width, height) == (2 * 448 + 16, 448)
        big = enlarge(np.broadcast_to(seen.transpose(1, 2, 0), (*seen.shape[1:], 3)), 448)
        np.testing.assert_array_equal(whole[:, :448], big)
        np.testing.assert_array_equal(whole[:, -448:], enlarge(overlay(seen, found.values, found.signed), 448))


def test_numbers_that_are_not_finite_are_null(trained: str, image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network whose weights are large enough answers for the image, and overflows where a region is hidden."""
    drops = np.array([[np.nan, np.inf], [-np.inf, 0.25]], np.float32)
    monkeypatch.setattr("cnn_core.inspection.attribution_check.occlusion_drop", lambda *of: drops)
    monkeypatch.setattr("cnn_core.inspection.attribution_check.rank_correlation", lambda *of: math.nan)
    code, lines, _ = run("explain", trained, str(image))
    assert code == 0
    assert lines[0]["probability_lost_when_hidden"] == [[None, None], [None, 0.25]]
    assert lines[0]["rank_correlation_with_random_weights"] is None
    assert 0 < lines[0]["probability"] <= 1


def test_any_class_epoch_and_layer(trained: str, image: Path) -> None:
    code, lines, _ = run("explain", trained, str(image), "--class", "7", "--epoch", "0", "--layer", "0")
    assert code == 0
    assert (lines[0]["class"], lines[0]["layer"]) == ("7", "0")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--method", "lime"], "no method 'lime'"),
        (["--class", "cat"], "no class 'cat'"),
        (["--layer", "99"], "no convolution at '99'"),
        (["--layer", "0", "--method", "occlusion"], "not at the layer '0'"),
        (["--epoch", "99"], "epoch 99"),
        (["--out", "why.jpg"], "ends in .png"),
        (["--out", "nowhere/why.png"], "cannot be written"),
    ],
)
def test_what_cannot_be_met_is_a_sentence(trained: str, image: Path, options: list[str], sentence: str) -> None:
    code, lines, errors = run("explain", trained, str(image), *options)
    assert (code, lines) == (2, [])
    assert sentence in errors


def test_the_image_itself_is_not_overwritten_but_an_earlier_answer_is(
    trained: str, image: Path, tmp_path: Path
) -> None:
    before = image.read_bytes()
    code, lines, errors = run("explain", trained, str(image), "--out", str(image))
    assert (code, lines) == (2, [])
    assert "would be lost" in errors
    assert image.read_bytes() == before
    out = tmp_path / "why.png"
    out.write_text("an earlier answer")
    assert run("explain", trained, str(image), "--out", str(out))[0] == 0
    with Image.open(out) as drawn:
        assert drawn.format == "PNG"
    assert [path.name for path in tmp_path.iterdir()] == ["why.png"]


def test_an_image_that_is_none_is_a_sentence(trained: str, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG nonsense")
    for name in ("broken.png", "missing.png"):
        code, lines, errors = run("explain", trained, str(tmp_path / name))
        assert (code, lines) == (2, [])
        assert name in errors
