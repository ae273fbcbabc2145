"""The present weights: written while somebody looks and only then, with the norms of the last step; never felt."""

import copy
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from cnn_core.data.dataset import ImageDataset
from cnn_core.errors import RunFilesError
from cnn_core.inference import Classifier
from cnn_core.inspection.dead_units import dead_shares
from cnn_core.jobs.execute import execute
from cnn_core.models.network import build
from cnn_core.models.preset import layer
from cnn_core.runs.events import EpochEnd
from cnn_core.runs.folder import RunFolder, snapshot
from cnn_core.runs.journal import write_record
from cnn_core.runs.live import LIVE, MARK, Watched, about_live, live_version, mark_watched
from cnn_core.runs.store import store
from cnn_core.training import live as live_module
from cnn_core.training.live import learning
from cnn_core.training.session import TrainingSession
from tests.clock import Clock
from tests.training.test_session import recipe, same_weights


def session_of(digits: ImageDataset, **training: object) -> tuple[TrainingSession, str]:
    chosen = recipe(**training)
    run_id = store().create(chosen, "test")
    return TrainingSession(chosen, digits, RunFolder(run_id), "cpu"), run_id


def test_nothing_is_written_where_nobody_looks(digits: ImageDataset) -> None:
    session, run_id = session_of(digits)
    list(session.run())
    assert live_version(run_id) is None
    assert about_live(run_id) == {}
    assert RunFolder(run_id).files.version(MARK) is None
    with pytest.raises(RunFilesError, match="not being trained"):
        Classifier.open_live(run_id)


def test_watched_or_not_the_weights_are_the_same(digits: ImageDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    unwatched, first = session_of(digits)
    list(unwatched.run())
    monkeypatch.setattr(live_module, "EVERY", 0.0)
    monkeypatch.setattr(live_module, "SHARE", 1e9)
    monkeypatch.setattr(Watched, "__call__", lambda self: True)
    watched, second = session_of(digits)
    list(watched.run())
    assert live_version(second)
    for epoch in range(4):
        assert same_weights(*(RunFolder(run).files.open(snapshot(epoch)) for run in (first, second)))


@pytest.mark.usefixtures("at_every_step")
def test_the_first_step_is_written_and_the_last_of_an_epoch_is_the_epoch(digits: ImageDataset) -> None:
    session, run_id = session_of(digits)
    events = session.run()
    next(events)  # started
    next(events)  # the report of the first step
    assert about_live(run_id)["step"] == 1
    assert Classifier.open_live(run_id).network.state_dict().keys() == session.network.state_dict().keys()
    for event in events:
        if isinstance(event, EpochEnd):
            about = about_live(run_id)
            assert (about["step"], about["epoch"]) == (event.step, event.epoch)
            kept = RunFolder(run_id).files.open(snapshot(int(event.epoch)))
            assert same_weights(RunFolder(run_id).files.open(LIVE), kept)


@pytest.mark.usefixtures("at_every_step")
def test_norms_are_those_of_the_same_step_in_plain_torch(digits: ImageDataset) -> None:
    session, run_id = session_of(digits, optimiser="sgd", momentum=0.0, nesterov=False, weight_decay=0.0)
    session.network.train()
    copied = copy.deepcopy(session.network)
    images, labels = next(session.batches.epoch())
    rate = session.rate
    rng = torch.get_rng_state()
    session._begin()
    session._live(images, labels, rate)
    torch.set_rng_state(rng)
    F.cross_entropy(copied(images), labels).backward()
    noted = about_live(run_id)["learning"]
    assert set(noted) == {"0", "1", "6"}
    for address, found in noted.items():
        weights = list(copied.get_submodule(address).parameters())
        start = torch.cat([weight.detach().flatten() for weight in weights])
        gradient = torch.cat([weight.grad.flatten() for weight in weights if weight.grad is not None])
        assert found["gradient_norm"] == pytest.approx(float(gradient.norm()), rel=1e-4)
        assert found["weight_norm"] == pytest.approx(float((start - rate * gradient).norm()), rel=1e-4)
        assert found["update_ratio"] == pytest.approx(float(rate * gradient.norm() / start.norm()), rel=1e-3)


def test_what_is_no_number_or_does_not_learn_is_none() -> None:
    network = build((layer("flatten"), layer("linear", features=3), layer("linear")), (1, 4, 4), 2)
    before = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    network.get_parameter("1.weight").data.fill_(float("nan"))
    network.get_parameter("2.weight").grad = torch.full((2, 3), float("inf"))
    found = learning(network, before)
    assert found["1"] == {"weight_norm": None, "gradient_norm": None, "update_ratio": None}
    assert found["2"]["gradient_norm"] is None
    assert found["2"]["update_ratio"] == 0


def test_it_is_written_about_once_a_second_and_less_often_where_that_is_slow(
    digits: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, run_id = session_of(digits)
    clock = Clock()
    step = live_module.LiveStep(session._learn, session.network, RunFolder(run_id).files, dict, clock)
    step._watched = lambda: True  # type: ignore[assignment]
    took, written = 0.0, 0

    def save(*_arguments: Any) -> None:
        nonlocal written
        clock.now += took
        written += 1
        _arguments[1].write_text("")

    monkeypatch.setattr(live_module, "save_weights", save)
    batch = next(session.batches.epoch())
    for _ in range(35):
        step(*batch, 0.01)
        clock.now += 0.1
    assert written == 4  # at 0, 1, 2 and 3 seconds
    took, written, begun = 0.1, 0, clock.now
    while clock.now < begun + 20:
        step(*batch, 0.01)
        clock.now += 0.1
    assert written == 4  # every 5 s: 0.1 s is a fiftieth of it


def test_the_files_go_with_the_end_of_training(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = store().create(recipe(epochs=1), "test", worker="here")
    monkeypatch.setattr(live_module, "EVERY", 0.0)
    seen = []
    write_record(RunFolder(run_id).files, store().get(run_id))  # as when the worker took it
    mark_watched(run_id)
    execute(run_id, "here", "cpu", threading.Event(), lambda event: seen.append(live_version(run_id)))
    assert store().get(run_id).status == "finished"
    assert any(seen)
    assert RunFolder(run_id).files.version(LIVE) is RunFolder(run_id).files.version(MARK) is None


def test_what_a_killed_worker_left_is_removed(digits: ImageDataset) -> None:
    _, run_id = session_of(digits)
    RunFolder(run_id).files.put(LIVE, lambda path: path.write_bytes(b"half"))
    TrainingSession(recipe(), digits, RunFolder(run_id), "cpu")
    assert live_version(run_id) is None


def test_dead_units_are_those_that_are_zero_for_every_image() -> None:
    layers = (layer("conv", channels=4), layer("relu"), layer("residual"), layer("global_pool"), layer("linear"))
    network = build(layers, (1, 8, 8), 2).eval()
    with torch.no_grad():
        network.get_parameter("0.bias")[:3] = torch.tensor([-1e6, -1e6, 1e6])
        network.get_parameter("2.norm2.bias").fill_(-1e9)  # whatever is added, the block is silent
        network.get_parameter("2.norm1.bias").fill_(1e9)
    images = torch.randint(0, 256, (5, 1, 8, 8), dtype=torch.uint8)
    with torch.no_grad():
        last = network[0](network.input(images))[:, 3]
    expected = 2 + int(last.max() <= 0)
    assert dead_shares(network, images) == {"1": expected / 4, "2.relu1": 0.0, "2.relu2": 1.0}
    assert dead_shares(network, images[:1])["1"] >= 0.5
    assert dead_shares(build((layer("flatten"), layer("linear")), (1, 8, 8), 2), images) == {}
