"""How a run is computed is measured once, kept, recorded, and changes only the last digits."""

import itertools
import json
from pathlib import Path

import pytest
import torch
from torch import nn

from cnn_core.cores import usable_cores
from cnn_core.data.dataset import ImageDataset
from cnn_core.errors import RecipeError
from cnn_core.models.network import build
from cnn_core.models.presets import network_presets
from cnn_core.planning.recipe import check
from cnn_core.recipe import LayerSpec, NetworkSpec, Recipe, TrainingSpec
from cnn_core.runs.events import Started
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store
from cnn_core.runs.tables import Run
from cnn_core.training import hardware
from cnn_core.training import session as session_module
from cnn_core.training.choosing import choose
from cnn_core.training.execution import Execution, alternatives, fixed
from cnn_core.training.hardware import allowed_threads, choose_device
from cnn_core.training.session import TrainingSession

CPU = torch.device("cpu")
LAYERS = (
    LayerSpec(kind="conv", channels=8),
    LayerSpec(kind="relu"),
    LayerSpec(kind="max_pool"),
    LayerSpec(kind="conv", channels=8),
    LayerSpec(kind="batch_norm"),
    LayerSpec(kind="relu"),
    LayerSpec(kind="max_pool"),
    LayerSpec(kind="flatten"),
    LayerSpec(kind="dropout"),
    LayerSpec(kind="linear"),
)
EVERY_LEVER = {"layout": "channels_last", "pool_first": "on", "threads": allowed_threads(2), "precision": "float32"}
NO_LEVER = {"layout": "channels_first", "pool_first": "off", "threads": 1, "precision": "float32"}


def recipe(**training: object) -> Recipe:
    values = {"epochs": 2, "batch_size": 64, "optimiser": "sgd", "learning_rate": 0.05, "schedule": "one_cycle"}
    return check(
        Recipe(
            data={"dataset": "digits"},
            augment=({"kind": "horizontal_flip"}, {"kind": "rotation"}, {"kind": "colour_jitter"}),
            network=NetworkSpec(preset="", layers=LAYERS),
            training=TrainingSpec(**(values | training)),
        )
    )


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(16, 3, 32, 32), torch.randint(0, 10, (16,))


@pytest.fixture
def network() -> nn.Sequential:
    return build(network_presets.get("simple_cnn").layers, (3, 32, 32), 10)


def session(chosen: Recipe, digits: ImageDataset, run_id: str = "") -> TrainingSession:
    return TrainingSession(chosen, digits, RunFolder(run_id or store().create(chosen, "test")), "cpu")


def test_what_the_recipe_fixes_is_not_measured(
    home: Path, network: nn.Sequential, batch: tuple[torch.Tensor, torch.Tensor]
) -> None:
    training = TrainingSpec(**NO_LEVER)
    assert choose(network, training, CPU, batch, steps=10_000) == Execution("float32", "channels_first", False, 1)
    assert list(alternatives(fixed(training, CPU), training, CPU)) == []
    assert not (home / "measured").exists()


def test_the_plan_of_a_run_tells_how_it_was_computed(digits: ImageDataset) -> None:
    training = session(recipe(**EVERY_LEVER), digits)
    list(training.run())
    plan = json.loads((training.folder.files.folder / "plan.json").read_text())
    assert plan["execution"] == EVERY_LEVER | {"pool_first": True}
    assert training.network[0].weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    ("cores", "operator", "wanted", "expected"),
    [(2, 0, 1000, 2), (2, 0, 1, 1), (8, 3, 1000, 3), (8, 3, 3, 3), (2, 1000, 0, 2), (8, 3, 0, 3), (1, 0, 0, 1)],
)
def test_threads_are_at_most_what_the_process_may_use(
    monkeypatch: pytest.MonkeyPatch, cores: int, operator: int, wanted: int, expected: int
) -> None:
    monkeypatch.setattr(hardware, "usable_cores", lambda: cores)
    monkeypatch.setenv("CNN_PLAYGROUND_THREADS", str(operator))
    assert allowed_threads(wanted) == expected
    assert fixed(TrainingSpec(threads=wanted), CPU).threads == expected


def test_a_recipe_that_wants_too_many_threads_gets_those_there_are(digits: ImageDataset) -> None:
    training = session(recipe(threads=1000, epochs=1), digits)
    *_, started = itertools.takewhile(lambda event: isinstance(event, Started), training.run())
    threads = json.loads((training.folder.files.folder / "plan.json").read_text())["execution"]["threads"]
    assert threads == torch.get_num_threads() <= usable_cores()
    assert started.precision.endswith(f"{threads} CPU thread" if threads == 1 else f"{threads} CPU threads")


def test_threads_are_named_and_fit_the_record() -> None:
    assert str(Execution("float32", "channels_last", True, 1)) == "float32, channels last, pooling first, 1 CPU thread"
    longest = str(Execution("bfloat16", "channels_first", True, 1024))
    assert longest.endswith(", 1024 CPU threads")
    assert len(longest) <= Run.precision.type.length


@pytest.mark.parametrize("device", ["cuda:99", "cuda:x", "cpu:1", "banana"])
def test_a_device_that_is_not_here_is_refused_in_a_sentence(device: str) -> None:
    with pytest.raises(RecipeError, match=f"this computer has no {device}. Available: .*cpu, .*or auto"):
        choose_device(device)


def test_the_levers_change_only_the_last_digits(digits: ImageDataset) -> None:
    fast, plain = (session(recipe(**levers), digits) for levers in (EVERY_LEVER, NO_LEVER))
    for training in (fast, plain):
        torch.manual_seed(0)
        torch.set_num_threads(training.execution.threads)
        training.network.train()
        batches = training.batches.epoch()
        for _ in range(5):
            training._learn(*next(batches), rate=0.05)
    for ours, theirs in zip(fast.network.parameters(), plain.network.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)


def test_resumed_with_every_lever_on_the_weights_are_the_same(
    digits: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "REPORT_SECONDS", 0.0)
    whole = session(recipe(**EVERY_LEVER), digits)
    list(whole.run())
    part = session(recipe(**EVERY_LEVER), digits)
    events = part.run()
    while part.step != 3 * len(part.batches) // 2:
        next(events)
    part.save()
    events.close()
    torch.manual_seed(99)
    resumed = session(recipe(**EVERY_LEVER), digits, part.folder.files.folder.name)
    list(resumed.run())
    for ours, theirs in zip(resumed.network.parameters(), whole.network.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_resumed_run_is_computed_as_before_whatever_would_be_chosen_now(digits: ImageDataset) -> None:
    chosen = recipe(threads=1)
    first = session(chosen, digits)
    next(events := first.run())
    first.save()
    events.close()
    before = first.execution
    for kept in (digits.folder.parents[1] / "measured").glob("*.json"):
        other = "channels_first" if before.layout == "channels_last" else "channels_last"
        answers = json.loads(kept.read_text())
        for answer in answers.values():
            answer["execution"]["layout"] = other
        kept.write_text(json.dumps(answers))
    assert session(chosen, digits).execution != before
    assert session(chosen, digits, first.folder.files.folder.name).execution == before
