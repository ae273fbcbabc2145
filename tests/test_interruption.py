"""Ctrl-C at any moment: a sentence, the exit code of a shell, nothing half written, and a run that goes on."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from cnn_core.command_line.interruption import stop_on_signals
from cnn_core.command_line.program import main
from cnn_core.runs.folder import RESUME, RunFolder
from cnn_core.runs.store import store
from cnn_core.settings import settings
from tests.data.images import two_classes, write_zip

TRAIN = ("train", "--dataset", "digits", "--network", "mlp", "--epochs", "2")


@pytest.fixture(autouse=True)
def signals_are_heard() -> Iterator[None]:
    """Also where the tests themselves were started in the background, which ignores Ctrl-C."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def at(moment: str, patch: pytest.MonkeyPatch, number: int = signal.SIGINT, after: bool = False) -> None:
    """Raise a signal, as Ctrl-C does, at the first call of `moment` ("module:name" or "module:class.name").

    `after`: when its work is done, and not before.
    """
    module, name = moment.split(":")
    *owners, last = name.split(".")
    owner: Any = import_module(module)
    for step in owners:
        owner = getattr(owner, step)
    work, left = getattr(owner, last), [1]

    def interrupted(*arguments: Any, **more: Any) -> Any:
        result = work(*arguments, **more) if after else None
        if left:
            left.clear()
            signal.raise_signal(number)
        return result if after else work(*arguments, **more)

    patch.setattr(owner, last, interrupted)


def half_written(home: Path) -> list[str]:
    return [path.name for path in home.rglob("*") if path.suffix in (".part", ".partial", ".draft")]


MOMENTS = {
    "the run is entered": ("cnn_core.runs.store:RunStore.create", True),
    "the data is opened": ("cnn_core.jobs.execute:prepare_for", True),
    "the network is built": ("cnn_core.training.session:starting_network", False),
    "a file is moved into place": ("cnn_core.runs.files:LocalRunFiles.put", False),
    "an epoch ends": ("cnn_core.training.session:TrainingSession.save", False),
    "a line is printed": ("cnn_core.command_line.train:print_line", True),
}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminate"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_that_is_interrupted_goes_on(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], moment: str, number: int
) -> None:
    with monkeypatch.context() as patch:
        at(MOMENTS[moment][0], patch, number, after=MOMENTS[moment][1])
        code = main(TRAIN)
    errors = capsys.readouterr().err
    [run] = store().runs()
    assert (code, run.status) == (128 + number, "interrupted")
    assert f"Go on with: python -m cnn_core train --resume {run.id}" in errors
    assert "press" not in errors.lower()
    assert len(errors.strip().splitlines()) == 1
    assert not half_written(home)
    assert main(("train", "--resume", run.id)) == 0
    assert store().get(run.id).status == "finished"


BEFORE = {
    "torch is loaded": ("cnn_core.command_line.train:_require", False),
    "the data is prepared": ("cnn_core.data.catalogue.library:write", False),
    "the data is measured": ("cnn_core.data.dataset:channel_statistics", True),
}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminate"])
@pytest.mark.parametrize("moment", BEFORE)
def test_before_there_is_a_run_nothing_is_left(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], moment: str, number: int
) -> None:
    stop_on_signals()
    at(BEFORE[moment][0], monkeypatch, number, after=BEFORE[moment][1])
    assert main(TRAIN) == 128 + number
    assert not half_written(home)
    assert capsys.readouterr().err.strip() == "Stopped. Nothing half done was kept."
    assert store().runs() == []


def test_in_the_final_test_a_run_is_finished_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at("cnn_core.training.session:TrainingSession.finish", monkeypatch)
    assert main(TRAIN) == 0
    assert [run.status for run in store().runs()] == ["finished"]


def test_a_second_ctrl_c_ends_the_final_test_too(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        at("cnn_core.training.session:TrainingSession.finish", patch)
        at("cnn_core.runs.folder:RunFolder.write_predictions", patch)
        assert main(TRAIN) == 130
    [run] = store().runs()
    assert (run.status, run.test_accuracy) == ("interrupted", None)
    assert main(("train", "--resume", run.id)) == 0
    assert store().get(run.id).test_accuracy is not None


def test_a_disk_that_fills_up_interrupts_a_run_that_goes_on_later(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from cnn_core.command_line import train

    before, shown = resource.getrlimit(resource.RLIMIT_FSIZE), train.print_line

    def fill(line: dict[str, Any]) -> None:
        shown(line)
        if line.get("event") == "started":
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))  # the state to resume from is larger

    monkeypatch.setattr(train, "print_line", fill)
    try:
        code = main(TRAIN)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    [run] = store().runs()
    assert (code, run.status) == (2, "interrupted")
    assert f"--resume {run.id}" in capsys.readouterr().err
    assert not half_written(home)
    monkeypatch.setattr(train, "print_line", shown)
    assert main(("train", "--resume", run.id)) == 0


@pytest.mark.parametrize(
    ("moment", "after"),
    [
        ("cnn_core.data.incoming.importing:decode", True),
        ("cnn_core.data.incoming.importing:finish", True),
        ("cnn_core.data.catalogue.versions:add", False),
    ],
)
def test_an_import_that_is_interrupted_leaves_nothing(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    moment: str,
    after: bool,
) -> None:
    archive = write_zip(tmp_path / "clothes.zip", two_classes())
    arguments = ("import", str(archive), "--name", "Clothes", "--size", "32")
    with monkeypatch.context() as patch:
        at(moment, patch, after=after)
        assert main(arguments) == 130
    assert capsys.readouterr().err.strip() == "Stopped. Nothing half done was kept."
    assert list(settings().datasets.iterdir()) == []
    assert main(arguments) == 0


def test_fetching_a_data_set_that_is_interrupted_leaves_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        at("cnn_core.data.dataset:channel_statistics", patch, after=True)
        assert main(("datasets", "--get", "digits")) == 130
    assert [path.name for path in settings().datasets.iterdir()] == ["digits.lock"]
    assert main(("datasets", "--get", "digits")) == 0


def test_a_run_whose_state_is_damaged_is_not_advised_to_go_on(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        at("cnn_core.training.session:TrainingSession.save", patch, after=True)
        assert main(TRAIN) == 130
    [run] = store().runs()
    RunFolder(run.id).files.open(RESUME).write_bytes(b"damaged")
    capsys.readouterr()
    main(("train", "--resume", run.id))
    errors = capsys.readouterr().err
    assert store().get(run.id).status == "stopped"
    assert "damaged" in errors
    assert "--resume" not in errors
