"""Terminals that show few letters, readers that leave early, disks that are full: the streams of a real process."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cnn_core.runs.store import store
from tests.data.images import two_classes, write_zip

ROOT = Path(__file__).parents[1]
TRAIN = ("train", "--dataset", "digits", "--network", "mlp", "--epochs", "200")
AT_IMPORT = """
import importlib.abc, runpy, signal, sys

class Interrupt(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == {moment!r}:
            signal.raise_signal(signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)  # also where the tests run in the background
sys.meta_path.insert(0, Interrupt())
sys.argv = ["cnn_core", *{arguments!r}]
runpy.run_module("cnn_core", run_name="__main__", alter_sys=True)
"""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cnn_core", *arguments]


def clothes(folder: Path) -> Path:
    """Class folders called Größe and 靴, the images of one with a name that is no text."""
    files = {path.replace("boots", "Größe").replace("trousers", "靴"): data for path, data in two_classes().items()}
    return write_zip(folder / "Kleider Ü.zip", files)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_every_letter_can_be_printed(home: Path, tmp_path: Path, encoding: str) -> None:
    arguments = command("import", str(clothes(tmp_path)), "--name", "Kleidergrößen 靴", "--size", "32")
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    done = subprocess.run(arguments, cwd=ROOT, env=environment, capture_output=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, b"")
    *report, _ = done.stdout.decode(encoding).splitlines()
    assert json.loads("\n".join(report))["title"] == "Kleidergrößen 靴"


def test_a_sentence_with_every_letter(home: Path) -> None:
    arguments = command("train", "--recipe", b"Gr\xc3\xb6\xc3\x9fe \xff \xe9\x9d\xb4.json")  # type: ignore[arg-type]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(arguments, cwd=ROOT, env=environment, capture_output=True, timeout=120)
    assert done.returncode == 2
    assert b"cannot be read" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_reader_that_leaves_interrupts_a_run(home: Path) -> None:
    with subprocess.Popen(command(*TRAIN), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read().decode()
    [run] = store().runs()
    assert (process.returncode, run.status) == (128 + 13, "interrupted")
    assert f"--resume {run.id}" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("redirection", "code"), [("| head -n 1", 0), ("> /dev/full", 2), (">&-", 0), ("2>&-", 0), (">&- 2>&-", 0)]
)
def test_lists_into_odd_places(home: Path, redirection: str, code: int) -> None:
    line = f"set -o pipefail; {sys.executable} -m cnn_core networks {redirection}"
    done = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, timeout=120, text=True)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert len(done.stderr.splitlines()) == (1 if code else 0)


@pytest.mark.parametrize("moment", ["cnn_core.command_line.program", "sqlalchemy", "torch"])
def test_ctrl_c_while_the_program_is_loaded(home: Path, moment: str) -> None:
    code = AT_IMPORT.format(moment=moment, arguments=list(TRAIN))
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=120, text=True)
    assert done.returncode == 130
    assert done.stderr.strip() == "Stopped. Nothing half done was kept."
    assert store().runs() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_of_the_system_while_it_trains(home: Path, number: int) -> None:
    def heard() -> None:
        signal.signal(number, signal.SIG_DFL)

    with subprocess.Popen(
        command(*TRAIN), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heard
    ) as process:
        assert process.stdout
        assert process.stderr
        for line in process.stdout:
            if b'"report"' in line:
                break
        process.send_signal(number)
        process.stdout.read()
        errors = process.stderr.read().decode()
    [run] = store().runs()
    assert (process.returncode, run.status) == (128 + number, "interrupted")
    assert f"python -m cnn_core train --resume {run.id}" in errors
    assert len(errors.strip().splitlines()) == 1
