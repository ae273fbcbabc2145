"""How a run is computed is asked once: the answer is kept, agreed on by all processes, and says what it rests on."""

import copy
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from cnn_core.models.network import build
from cnn_core.models.presets import network_presets
from cnn_core.recipe import TrainingSpec
from cnn_core.training import choosing
from cnn_core.training.choosing import ANSWERS, answer_for, choose
from cnn_core.training.execution import Execution, fixed
from cnn_core.training.measuring import Answer, Question

CPU = torch.device("cpu")
FAST, OTHER = (Execution("float32", layout, True, 1) for layout in ("channels_first", "channels_last"))
ROOT = Path(__file__).parents[2]


@pytest.fixture
def batch() -> tuple[Tensor, Tensor]:
    return torch.randn(16, 3, 32, 32), torch.randint(0, 10, (16,))


@pytest.fixture
def network() -> nn.Sequential:
    return build(network_presets.get("simple_cnn").layers, (3, 32, 32), 10)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of the runs that were measured for, each with an answer of its own."""
    lengths: list[int] = []

    def measure(question: Question) -> Answer:
        lengths.append(question.steps)
        return Answer(FAST if len(lengths) % 2 else OTHER, {}, () if question.steps >= 1000 else ("layout",))

    monkeypatch.setattr(choosing, "measure", measure)
    return lengths


def test_measuring_changes_neither_network_nor_random_state(
    home: Path, network: nn.Sequential, batch: tuple[Tensor, Tensor]
) -> None:
    before, random = copy.deepcopy(network.state_dict()), torch.get_rng_state()
    chosen = choose(network, TrainingSpec(), CPU, batch, steps=100)
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    [file] = (home / "measured").glob("*.json")
    [(steps, kept)] = ANSWERS.validate_json(file.read_bytes()).items()
    assert (steps, kept.execution) == (100, chosen)
    assert {str(chosen), str(fixed(TrainingSpec(), CPU))} <= set(kept.seconds)
    assert all(0 < seconds < 60 for seconds in kept.seconds.values())
    assert [path.suffix for path in file.parent.iterdir() if path != file] in ([], [".lock"])


def test_an_answer_is_kept_so_that_the_same_recipe_is_run_the_same_way(
    home: Path, network: nn.Sequential, batch: tuple[Tensor, Tensor], measured: list[int]
) -> None:
    first = choose(network, TrainingSpec(), CPU, batch, steps=100)
    assert choose(network, TrainingSpec(), CPU, batch, steps=100) == first
    assert choose(network, TrainingSpec(), CPU, batch, steps=99) == first
    assert measured == [100]
    choose(network, TrainingSpec(), CPU, (batch[0][:8], batch[1][:8]), steps=100)  # another question
    assert measured == [100, 100]


def test_a_longer_run_measures_what_a_shorter_one_could_not(
    home: Path, network: nn.Sequential, batch: tuple[Tensor, Tensor], measured: list[int]
) -> None:
    chosen = {steps: choose(network, TrainingSpec(), CPU, batch, steps=steps) for steps in (100, 999, 1000, 5000)}
    assert measured == [100, 999, 1000]  # nothing was left untried for 1000 steps
    for steps, execution in chosen.items():  # and the answers of before stay, so the same recipe gives the same weights
        assert choose(network, TrainingSpec(), CPU, batch, steps=steps) == execution
    assert len(measured) == 3


def test_which_answer_holds_for_a_run() -> None:
    partly, wholly = Answer(FAST, {}, ("layout",)), Answer(OTHER)
    assert answer_for({}, 10) is None
    assert answer_for({10: partly}, 10) is partly
    assert answer_for({10: partly}, 9) is partly
    assert answer_for({10: partly}, 11) is None
    assert answer_for({10: wholly}, 11) is wholly
    assert answer_for({10: partly, 20: wholly}, 10) is partly


WRONG = '{"100": {"execution": {"precision": "float32", "layout": "%s", "pool_first": true, "threads": %d}}}'
DAMAGED = ["", "{", "[]", "\0\0\0", '{"100": {}}', '{"layout": "channels_last"}', WRONG % ("diagonal", 1)]


@pytest.mark.parametrize("damaged", [*DAMAGED, WRONG % ("channels_last", 0)])
def test_a_damaged_file_is_measured_again(
    home: Path, network: nn.Sequential, batch: tuple[Tensor, Tensor], measured: list[int], damaged: str
) -> None:
    choose(network, TrainingSpec(), CPU, batch, steps=100)
    [file] = (home / "measured").glob("*.json")
    file.write_text(damaged)
    chosen = choose(network, TrainingSpec(), CPU, batch, steps=100)
    assert measured == [100, 100]
    assert ANSWERS.validate_json(file.read_bytes())[100].execution == chosen


PROCESS = """
import sys, time
from pathlib import Path
import torch
from cnn_core.models.network import build
from cnn_core.models.presets import network_presets
from cnn_core.recipe import TrainingSpec
from cnn_core.training import choosing, measuring

def measure(question, measure=choosing.measure):
    print("measured", flush=True)
    return measure(question)

choosing.measure = measure
network = build(network_presets.get("mlp").layers, (1, 8, 8), 10)
batch = torch.randn(4, 1, 8, 8), torch.randint(0, 10, (4,))
here = Path(sys.argv[1])
(here / sys.argv[2]).touch()
while not (here / "go").exists():
    time.sleep(0.001)
print(choosing.choose(network, TrainingSpec(threads=1), torch.device("cpu"), batch, 100))
"""


def test_processes_that_ask_at_once_agree_on_one_answer(home: Path, tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(tmp_path), f"ready-{number}"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        for number in range(2)
    ]
    end = time.monotonic() + 240
    while len(list(tmp_path.glob("ready-*"))) < len(processes) and time.monotonic() < end:
        time.sleep(0.01)
    (tmp_path / "go").touch()
    outputs = [process.communicate(timeout=240) for process in processes]
    assert [errors for _, errors in outputs] == [""] * len(processes)
    lines = [line for output, _ in outputs for line in output.splitlines()]
    assert lines.count("measured") == 1
    assert len(set(lines) - {"measured"}) == 1
    assert len(lines) == len(processes) + 1
    [file] = (home / "measured").glob("*.json")
    assert str(ANSWERS.validate_json(file.read_bytes())[100].execution) in lines
    assert not list((home / "measured").glob("*.part"))
    assert json.loads(file.read_text())["100"]["seconds"]
