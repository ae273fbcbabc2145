"""Nothing that goes wrong around the command line is a traceback: it is one sentence and an exit code."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from cnn_core.command_line.arguments import parser
from cnn_core.command_line.program import main
from cnn_core.command_line.train import _recipe as recipe_of
from cnn_core.runs.events import Ended
from cnn_core.runs.store import store
from tests.situations import SITUATIONS, UNMET, Situation, World


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.name)
def test_it_is_one_sentence_and_an_exit_code(
    situation: Situation,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with ExitStack() as after:
        folder = tmp_path / "named"
        folder.mkdir()
        found = situation.set_up(World(home, folder, monkeypatch, after))
        code = main(found or situation.arguments)
    output, errors = capsys.readouterr()
    assert code == situation.code, errors
    assert situation.part in errors
    assert "Traceback" not in errors + output
    lines = [line for line in errors.splitlines() if line.strip()]
    assert len(lines) == 1, errors
    assert lines[0][0].isprintable()
    assert not list(home.rglob("own-*")) if home.is_dir() else True


@pytest.mark.parametrize("situation", UNMET, ids=lambda situation: situation.name)
def test_a_request_that_cannot_be_met_leaves_no_run_and_no_run_changed(
    situation: Situation, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as after:
        arguments = situation.set_up(World(home, tmp_path, monkeypatch, after)) or situation.arguments
        assert main(arguments) == 2
        assert store().runs() == []
        options = parser().parse_args(arguments)
        run_id = store().create(recipe_of(options), "One", "a worker")
        store().record(run_id, "a worker", Ended(status="paused"))
        assert main(("train", "--resume", run_id)) == 2
        assert store().get(run_id).status == "paused"
