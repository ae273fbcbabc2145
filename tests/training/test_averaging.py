"""Average of the weights and clipped gradients, against plain formulas and torch's own."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F

from cnn_core.data.catalogue.library import open_dataset
from cnn_core.errors import DivergedError
from cnn_core.inference import Classifier
from cnn_core.models.network import Network, build
from cnn_core.models.operations import frozen
from cnn_core.planning.recipe import check
from cnn_core.recipe import LayerRate, LayerSpec, NetworkSpec, Recipe, TrainingSpec
from cnn_core.runs.events import EpochEnd
from cnn_core.runs.folder import BEST, RunFolder, snapshot
from cnn_core.runs.live import Watched
from cnn_core.runs.store import store
from cnn_core.training import live as live_module
from cnn_core.training.averaging import WeightAverage
from cnn_core.training.execution import Execution
from cnn_core.training.session import TrainingSession
from cnn_core.training.step import Step

CPU = torch.device("cpu")
PLAIN = Execution("float32", "channels_last", True, 1)
LAYERS = tuple(
    LayerSpec.model_validate(layer)
    for layer in (
        {"kind": "conv", "channels": 4, "bias": False},
        {"kind": "batch_norm"},
        {"kind": "relu"},
        {"kind": "max_pool"},
        {"kind": "residual", "channels": 6},
        {"kind": "global_pool"},
        {"kind": "linear"},
    )
)
FROZEN = (LayerRate(address="0", factor=0), LayerRate(address="4.norm1", factor=0))


def network_of(rates: tuple[LayerRate, ...] = ()) -> Network:
    torch.manual_seed(0)
    network = build(LAYERS, (1, 8, 8), 10)
    network.freeze(frozen(network.operations, rates))
    return network.train()


def batch(number: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(number)
    images = torch.randint(0, 256, (16, 1, 8, 8), dtype=torch.uint8, generator=generator)
    return images, torch.randint(10, (16,), generator=generator)


@pytest.mark.parametrize("decay", [0.05, 0.3, 0.9])
def test_the_average_is_the_plain_formula(decay: float) -> None:
    network = network_of()
    step = Step(network, TrainingSpec(ema_decay=decay), CPU, PLAIN)
    expected = {name: value.double() for name, value in network.state_dict().items()}
    for number in range(12):
        step(*batch(number), 0.01)
        fraction = min(decay, (1 + number) / (10 + number))
        for name, value in network.state_dict().items():
            counts = name.endswith("num_batches_tracked")
            expected[name] = value.double() if counts else fraction * expected[name] + (1 - fraction) * value.double()
    for name, value in step.kept.state_dict().items():
        torch.testing.assert_close(value.double(), expected[name], atol=1e-6, rtol=1e-5, msg=name)
    assert not torch.equal(step.kept.state_dict()["6.weight"], network.state_dict()["6.weight"])


def test_without_an_average_the_network_itself_is_kept() -> None:
    network = network_of()
    step = Step(network, TrainingSpec(), CPU, PLAIN)
    assert step.average is None
    assert step.kept is network


def test_averaging_changes_nothing_of_what_is_learned() -> None:
    ours, alone = network_of(), network_of()
    steps = [Step(ours, TrainingSpec(ema_decay=0.9), CPU, PLAIN), Step(alone, TrainingSpec(), CPU, PLAIN)]
    for number in range(4):
        for step in steps:
            step(*batch(number), 0.01)
    for name, value in alone.state_dict().items():
        assert torch.equal(value, ours.state_dict()[name]), name


@pytest.mark.parametrize("optimiser", ["adamw", "muon", "rmsprop"])
def test_frozen_parts_and_their_statistics_are_averaged_to_themselves(optimiser: Any) -> None:
    network = network_of(FROZEN)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    training = TrainingSpec(optimiser=optimiser, weight_decay=0.1, ema_decay=0.9, gradient_clipping=0.1)
    step = Step(network, training, CPU, PLAIN, rates=FROZEN)
    for number in range(5):
        step(*batch(number), 0.1)
    for name, value in step.kept.state_dict().items():
        still = name.startswith(("0.", "4.norm1.", "input."))
        assert torch.equal(value, before[name]) == still, name


def test_an_average_restored_goes_on_the_same() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    whole = WeightAverage(network, 0.9)

    def change(seed: int) -> None:
        with torch.no_grad():
            network[0].weight.copy_(torch.randn(2, 3, generator=torch.Generator().manual_seed(seed)))

    for seed in range(3):
        change(seed)
        whole.update()
    resumed = WeightAverage(network, 0.9)
    resumed.restore(copy.deepcopy(whole.state()))
    for average in (whole, resumed):
        for seed in range(3, 6):
            change(seed)
            average.update()
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name]), name
    with pytest.raises(RuntimeError):
        resumed.restore({"steps": 1, "network": {"other": torch.zeros(1)}})


@pytest.mark.parametrize("optimiser", ["sgd", "rmsprop", "adamw"])
@pytest.mark.parametrize("longest", [1e-3, 0.5, 1000.0])
def test_gradients_are_clipped_as_torch_clips_them(optimiser: Any, longest: float) -> None:
    ours, theirs = network_of(), network_of()
    training = TrainingSpec(optimiser=optimiser, gradient_clipping=longest, momentum=0.0)
    step = Step(ours, training, CPU, Execution("float32", "channels_first", False, 1))
    kinds: dict[str, Any] = {"sgd": torch.optim.SGD, "rmsprop": torch.optim.RMSprop, "adamw": torch.optim.AdamW}
    options = {"weight_decay": 0.0} if optimiser == "adamw" else {}
    oracle = kinds[optimiser](theirs.parameters(), lr=0.01, **options)
    for number in range(3):
        images, labels = batch(number)
        step(images, labels, 0.01)
        oracle.zero_grad()
        F.cross_entropy(theirs(images), labels).backward()
        norm = nn.utils.clip_grad_norm_(list(theirs.parameters()), longest)
        clipped = torch.stack([weight.grad.norm() for weight in ours.parameters()]).norm()  # type: ignore[union-attr]
        assert float(clipped) == pytest.approx(min(longest, float(norm)), rel=1e-3)
        oracle.step()
    for mine, their in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, their, atol=2e-6, rtol=1e-4)


def recipe_of(**training: object) -> Recipe:
    chosen = {"epochs": 2, "batch_size": 256, "threads": 1, "precision": "float32", "layout": "channels_last"}
    values = {**chosen, "pool_first": "on", "learning_rate": 0.01, **training}
    network = NetworkSpec(preset="", layers=LAYERS)
    return check(Recipe(data={"dataset": "digits"}, network=network, training=TrainingSpec(**values)))


def test_what_is_validated_kept_and_tested_is_the_average(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "EVERY", 0.0)
    monkeypatch.setattr(live_module, "SHARE", 1e9)
    monkeypatch.setattr(Watched, "__call__", lambda self: True)
    recipe, digits = recipe_of(ema_decay=0.8), open_dataset("digits")
    folder = RunFolder(store().create(recipe, "test"))
    session = TrainingSession(recipe, digits, folder, "cpu")
    ends = []
    for event in session.run():
        if isinstance(event, EpochEnd):
            ends.append(event)
            saved, averaged = load_file(folder.files.open(snapshot(session.epoch))), session._learn.kept.state_dict()
            assert all(torch.equal(value, averaged[name]) for name, value in saved.items())
            assert not torch.equal(saved["6.weight"], session.network.state_dict()["6.weight"])
            live = Classifier.open_live(folder.files.folder.name).network.state_dict()  # type: ignore[attr-defined]
            assert all(torch.equal(value, averaged[name]) for name, value in live.items())
    classifier = Classifier.open(folder.files.folder.name, 2)  # type: ignore[attr-defined]
    positions = digits.splits["validation"]
    probabilities = torch.from_numpy(classifier.classify(digits.images[positions]))
    loss = F.nll_loss(probabilities.log(), torch.from_numpy(digits.labels[positions]))
    assert ends[-1].loss == pytest.approx(float(loss), rel=1e-4)
    best = load_file(folder.files.open(BEST))
    assert all(torch.equal(value, best[name]) for name, value in session._learn.kept.state_dict().items())


@pytest.mark.parametrize("optimiser", ["sgd", "muon", "rmsprop"])
def test_a_loss_that_is_no_number_is_noticed(home: Path, optimiser: str) -> None:
    recipe = recipe_of(optimiser=optimiser, learning_rate=10.0, epochs=4, ema_decay=0.9, gradient_clipping=1.0)
    session = TrainingSession(recipe, open_dataset("digits"), RunFolder(store().create(recipe, "test")), "cpu")
    events = session.run()
    while session.step < 1:
        next(events)
    with torch.no_grad():
        session.network[6].weight.fill_(float("inf"))
    with pytest.raises(DivergedError):
        list(events)
