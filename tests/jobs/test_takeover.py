"""A command-line run that was killed goes on in the next command."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cnn_core.errors import UnknownNameError
from cnn_core.jobs.takeover import interrupt_if_silent
from cnn_core.recipe import Recipe
from cnn_core.runs.store import store
from cnn_core.runs.tables import Worker
from cnn_core.runs.worker_store import SILENT_SECONDS

ROOT = Path(__file__).parents[2]


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "cnn_core", "train", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_killed_command_is_resumed_by_the_next(home: Path) -> None:
    killed = start("--dataset", "digits", "--network", "mlp", "--epochs", "200")
    assert killed.stdout
    for line in killed.stdout:
        if json.loads(line).get("event") == "epochend":
            break
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    (run,) = store().runs()
    assert run.status == "running"
    again = start("--resume", run.id)
    assert again.stdout
    lines = (json.loads(line) for line in again.stdout)
    started = next((line for line in lines if line["event"] == "started"), None)
    again.terminate()
    _, errors = again.communicate(timeout=60)
    assert started, errors
    assert started["step"] > 0
    assert store().get(run.id).status == "interrupted"


def test_a_run_that_is_being_trained_is_left_alone(home: Path) -> None:
    said: list[str] = []
    run_id = store().create(Recipe(), "busy", worker="w")
    worker = Worker(id="w", slot=0, pid=1, device="cpu", ready=True, run_id=run_id)

    def beats(sentence: str) -> None:
        said.append(sentence)
        store().beat(worker)

    began = time.monotonic()
    interrupt_if_silent(run_id, beats)
    assert time.monotonic() - began < SILENT_SECONDS
    assert store().get(run_id).status == "starting"
    assert len(said) == 1


def test_what_nobody_holds_needs_no_waiting(home: Path) -> None:
    run_id = store().create(Recipe(), "queued")
    interrupt_if_silent(run_id, pytest.fail)
    assert store().get(run_id).status == "queued"
    with pytest.raises(UnknownNameError):
        interrupt_if_silent("ffffffff", pytest.fail)
