"""A run with a damaged file: every page says so in a sentence and shows what is left."""

import argparse
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from cnn_core.command_line.results import evaluate
from cnn_core.errors import PlaygroundError
from cnn_core.runs.folder import RunFolder, snapshot
from cnn_core.runs.store import store
from tests.pages.conftest import text

Open = Callable[..., AppTest]
BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "half": lambda data: data[: len(data) // 2],
    "garbage": lambda data: b"\0" * 500,
}
PAGES = ("train", "evaluate", "inside", "classify", "runs", "home")


def break_file(run_id: str, name: str, how: str) -> None:
    path = RunFolder(run_id).files.folder / name
    path.write_bytes(BROKEN[how](path.read_bytes()))


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("name", ["best.safetensors", "plan.json", "predictions.npz"])
def test_every_page_opens_a_run_with_a_damaged_file(open_page: Open, runs: list[str], name: str, how: str) -> None:
    run_id = runs[0]
    break_file(run_id, name, how)
    for page in PAGES:
        shown = text(open_page(page, run=run_id))
        assert "pickle" not in shown, page
        assert "Traceback" not in shown, page
    evaluated = text(open_page("evaluate", run=run_id))
    assert ("predictions of this run are damaged" in evaluated) == (name == "predictions.npz")


def test_other_epochs_are_offered_where_the_best_weights_are_lost(open_page: Open, runs: list[str]) -> None:
    run_id, folder = runs[0], RunFolder(runs[0])
    best = store().get(run_id).best_epoch
    break_file(run_id, "best.safetensors", "half")
    break_file(run_id, folder.files.open(snapshot(best)).name, "half")
    for page in ("inside", "classify"):
        assert "weights of the best epoch is damaged. Choose another epoch: 0" in text(open_page(page, run=run_id))
        other = next(epoch for epoch in folder.epochs() if epoch != best)
        assert "damaged" not in text(open_page(page, run=run_id, epoch=other))


def test_predictions_that_are_missing_are_not_said_to_have_never_been(open_page: Open, runs: list[str]) -> None:
    (RunFolder(runs[0]).files.folder / "predictions.npz").unlink()
    assert "predictions of this run are missing from its folder" in text(open_page("evaluate", run=runs[0]))
    with pytest.raises(PlaygroundError, match="missing from its folder"):
        evaluate(argparse.Namespace(run=runs[0]))
