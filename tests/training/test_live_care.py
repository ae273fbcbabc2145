"""The present weights where it gets difficult: viewers who leave, frozen parts and blocks, full disks, half a file."""

import copy
import json
import resource
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnn_core.data.dataset import ImageDataset
from cnn_core.errors import DivergedError
from cnn_core.inference import Classifier
from cnn_core.models.network import Network, build
from cnn_core.models.operations import frozen
from cnn_core.models.weights import save_weights
from cnn_core.planning.recipe import check
from cnn_core.recipe import LayerRate, LayerSpec, Recipe, TrainingSpec
from cnn_core.runs import live as live_files
from cnn_core.runs.events import EpochEnd, Report
from cnn_core.runs.folder import BEST, RunFolder, snapshot
from cnn_core.runs.live import LIVE, Watched, about_live, live_version, mark_watched
from cnn_core.runs.store import store
from cnn_core.training import live as live_module
from cnn_core.training import session as session_module
from cnn_core.training.execution import Execution
from cnn_core.training.live import RETRY, LiveStep
from cnn_core.training.session import TrainingSession
from cnn_core.training.step import Step
from tests.clock import Clock
from tests.training.small_residual import LAYERS
from tests.training.test_session import same_weights

RUN, CPU = "0123abcd", torch.device("cpu")
FROZEN = (LayerRate(address="0", factor=0), LayerRate(address="4.norm1", factor=0), LayerRate(address="6", factor=0.1))
BATCH = torch.randint(0, 256, (16, 1, 8, 8), dtype=torch.uint8), torch.arange(16) % 10


def network_of() -> Network:
    torch.manual_seed(0)
    network = build([LayerSpec.model_validate(layer) for layer in LAYERS], (1, 8, 8), 10)
    network.freeze(frozen(network.operations, FROZEN))
    return network.train()


def step_of(network: Network, execution: Execution, **training: object) -> Step:
    return Step(network, TrainingSpec(**training), CPU, execution, rates=FROZEN)  # type: ignore[arg-type]


PLAIN = Execution("float32", "channels_first", False, 1)


@pytest.fixture
def folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.setattr(live_files, "MARK_SECONDS", -1.0)
    folder = RunFolder(RUN)
    folder.write_plan({})
    return folder


def live_step(folder: RunFolder, clock: Clock) -> LiveStep:
    network = network_of()
    return LiveStep(step_of(network, PLAIN), network, folder.files, dict, clock)


def versions(folder: RunFolder, step: LiveStep, clock: Clock, seconds: float) -> int:
    """How many times the weights are written in some seconds of ten steps each."""
    seen = set()
    for _ in range(round(10 * seconds)):
        before = folder.files.version(LIVE)
        step(*BATCH, 0.01)
        if (version := folder.files.version(LIVE)) != before:
            seen.add(version)
        clock.now += 0.1
    return len(seen)


def test_writing_begins_with_a_viewer_and_stops_when_all_have_left(folder: RunFolder) -> None:
    clock = Clock()
    step = live_step(folder, clock)
    assert versions(folder, step, clock, 3) == 0
    mark_watched(RUN)
    assert versions(folder, step, clock, 0.4) == 1
    mark_watched(RUN)
    assert 6 <= versions(folder, step, clock, 20) <= 8
    assert versions(folder, step, clock, 20) == 0
    mark_watched(RUN)
    assert versions(folder, step, clock, 1) == 1


def test_a_viewer_who_was_there_first_sees_the_first_step_and_may_leave(folder: RunFolder) -> None:
    clock = Clock()
    mark_watched(RUN)
    step = live_step(folder, clock)
    step(*BATCH, 0.01)
    assert live_version(RUN)
    clock.now += 3600
    assert versions(folder, step, clock, 5) == 0


@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("optimiser", ["adamw", "sgd"])
def test_norms_of_frozen_parts_and_blocks_are_those_of_plain_torch(
    folder: RunFolder, layout: Any, first: bool, optimiser: str
) -> None:
    network, oracle = network_of(), network_of()
    step = step_of(network, Execution("float32", layout, first, 1), optimiser=optimiser, weight_decay=0.0)
    mark_watched(RUN)
    LiveStep(step, network, folder.files, dict, Clock())(*BATCH, 0.05)
    learns = {name: p for name, p in oracle.named_parameters() if p.requires_grad}
    groups = [{"params": [p], "lr": 0.05 * (0.1 if name.startswith("6.") else 1)} for name, p in learns.items()]
    kinds: dict[str, Any] = {"adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
    before = copy.deepcopy(oracle)
    F.cross_entropy(oracle(BATCH[0]), BATCH[1]).backward()
    options: dict[str, Any] = {"momentum": 0.9, "nesterov": True} if optimiser == "sgd" else {}
    kinds[optimiser](groups, weight_decay=0.0, **options).step()
    noted = about_live(RUN)["learning"]
    assert set(noted) == {"0", "1", "6"} | {f"4.{part}" for part in ("conv1", "norm1", "conv2", "norm2")} | {
        f"4.skip_{part}" for part in ("conv", "norm")
    }
    for address, found in noted.items():
        now, then = flat(oracle.get_submodule(address)), flat(before.get_submodule(address))
        gradients = [p.grad.flatten() for p in oracle.get_submodule(address).parameters() if p.grad is not None]
        assert found["weight_norm"] == pytest.approx(float(now.norm()), rel=1e-4)
        assert found["update_ratio"] == pytest.approx(float((now - then).norm() / then.norm()), rel=2e-3)
        assert (found["gradient_norm"] is None) == (address in ("0", "4.norm1")) == (not gradients)
        if gradients:
            assert found["gradient_norm"] == pytest.approx(float(torch.cat(gradients).norm()), rel=1e-3, abs=1e-6)
    assert noted["0"]["update_ratio"] == 0


def flat(module: nn.Module) -> torch.Tensor:
    return torch.cat([weight.detach().flatten() for weight in module.parameters()])


def recipe_of(**training: object) -> Recipe:
    layers = [*LAYERS[:-1], {"kind": "dropout"}, LAYERS[-1]]
    rates = [{"address": "0", "factor": 0}, {"address": "4", "factor": 0.1}]
    values = {"data": {"dataset": "digits"}, "network": {"preset": "", "layers": layers, "rates": rates}}
    chosen = {"epochs": 2, "batch_size": 256, "threads": 1, "precision": "float32", "layout": "channels_last"}
    augment = [{"kind": "rotation"}, {"kind": "mixup"}]
    return check(
        Recipe.model_validate({**values, "augment": augment, "training": {**chosen, "pool_first": "on", **training}})
    )


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_watched_paused_and_resumed_the_weights_are_those_of_a_run_that_nobody_saw(
    digits: ImageDataset, monkeypatch: pytest.MonkeyPatch, optimiser: str
) -> None:
    monkeypatch.setattr(session_module, "REPORT_SECONDS", 0.0)
    recipe = recipe_of(optimiser=optimiser, learning_rate=0.01)
    alone = TrainingSession(recipe, digits, RunFolder(store().create(recipe, "alone")), "cpu")
    list(alone.run())
    monkeypatch.setattr(live_module, "EVERY", 0.0)
    monkeypatch.setattr(live_module, "SHARE", 1e9)
    monkeypatch.setattr(Watched, "__call__", lambda self: True)
    folder = RunFolder(store().create(recipe, "watched"))
    session = TrainingSession(recipe, digits, folder, "cpu")
    for event in session.run():
        if isinstance(event, Report) and session.step == 2:
            session.save()
            break
    assert about_live(folder.files.folder.name)["step"] == 2  # type: ignore[attr-defined]
    resumed = TrainingSession(recipe, digits, folder, "cpu")
    assert not folder.has(LIVE)  # until it has done a step
    list(resumed.run())
    for name in (BEST, *map(snapshot, range(3))):
        assert same_weights(folder.files.open(name), alone.folder.files.open(name)), name


@pytest.mark.usefixtures("at_every_step")
def test_nothing_is_written_during_validation(digits: ImageDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, seen = recipe_of(), []
    session = TrainingSession(recipe, digits, RunFolder(RUN), "cpu")
    for event in session.run():
        seen.append((type(event), live_version(RUN)))
    ends = [number for number, (kind, _) in enumerate(seen) if kind is EpochEnd]
    assert len(ends) == 2
    assert all(seen[end][1] == seen[end - 1][1] != seen[end - 2][1] for end in ends)


@pytest.mark.usefixtures("at_every_step")
def test_a_run_that_diverges_is_told_of_in_valid_json(digits: ImageDataset) -> None:
    layers = [{"kind": "flatten"}, {"kind": "linear", "features": 32}, {"kind": "linear"}]
    values = {"data": {"dataset": "digits"}, "network": {"preset": "", "layers": layers}}
    training = {"optimiser": "sgd", "learning_rate": 10.0, "momentum": 0.99, "batch_size": 32, "epochs": 20}
    recipe = check(Recipe.model_validate({**values, "training": {**training, "schedule": "constant"}}))
    session = TrainingSession(recipe, digits, RunFolder(RUN), "cpu")
    with pytest.raises(DivergedError):
        list(session.run())
    noted = about_live(RUN)["learning"]
    assert any(value is None for found in noted.values() for value in found.values())
    json.dumps(noted, allow_nan=False)


def test_a_full_disk_stops_no_training(folder: RunFolder) -> None:
    clock = Clock()
    step = live_step(folder, clock)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    mark_watched(RUN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        step(*BATCH, 0.01)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not folder.has(LIVE)
    assert not [path for path in folder.files.folder.iterdir() if path.suffix == ".part"]  # type: ignore[attr-defined]
    clock.now = RETRY - 0.1
    mark_watched(RUN)
    assert versions(folder, step, clock, 1) == 1


def test_a_reader_never_sees_half_a_file(digits: ImageDataset) -> None:
    recipe = recipe_of()
    run_id = store().create(recipe, "test")
    session = TrainingSession(recipe, digits, RunFolder(run_id), "cpu")
    session._begin()
    files, done = session.folder.files, threading.Event()

    def write() -> None:
        number = 0
        while not done.is_set():
            number += 1
            with torch.no_grad():
                for weight in session.network.parameters():
                    weight.fill_(number)
            files.put(LIVE, lambda path: save_weights(session.network, path, {"step": number}))  # noqa: B023

    files.put(LIVE, lambda path: save_weights(session.network, path))
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(150):
            network = Classifier.open_live(run_id).network
            assert network.get_parameter("4.conv1.weight").isfinite().all()
            assert about_live(run_id)
    finally:
        done.set()
        writer.join()
