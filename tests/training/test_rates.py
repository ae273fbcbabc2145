"""Parts of a network that learn at a rate of their own, or not at all."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnn_core.data.catalogue.library import open_dataset
from cnn_core.errors import RecipeError
from cnn_core.models.network import Network, build
from cnn_core.models.operations import factor_of, frozen
from cnn_core.planning.recipe import check
from cnn_core.recipe import LayerRate, LayerSpec, Recipe, TrainingSpec
from cnn_core.runs.events import EpochEnd, Report
from cnn_core.runs.folder import RunFolder
from cnn_core.training.execution import Execution
from cnn_core.training.reorder import pool_first
from cnn_core.training.schedule import learning_rate
from cnn_core.training.session import TrainingSession
from cnn_core.training.step import Step
from tests.training import small_residual

CPU = torch.device("cpu")
LAYERS = [*small_residual.LAYERS[:5], {"kind": "dropout"}, *small_residual.LAYERS[5:]]
RATES = (LayerRate(address="4", factor=0.1), LayerRate(address="4.conv2", factor=3.0), LayerRate(address="0", factor=0))


def network_of(channels: int = 1) -> Network:
    torch.manual_seed(0)
    return build([LayerSpec.model_validate(layer) for layer in LAYERS], (channels, 8, 8), 10)


def recipe_of(rates: list[dict[str, Any]], **training: object) -> Recipe:
    values = {"data": {"dataset": "digits"}, "network": {"preset": "", "layers": LAYERS, "rates": rates}}
    chosen = {"epochs": 2, "batch_size": 256, "threads": 1, "precision": "float32", "layout": "channels_last"}
    return check(Recipe.model_validate({**values, "training": {**chosen, "pool_first": "on", **training}}))


def test_the_longest_address_counts() -> None:
    names = ["0.weight", "1.bias", "4.conv1.weight", "4.conv2.weight", "40.weight", "4"]
    assert [factor_of(name, RATES) for name in names] == [0, 1, 0.1, 3.0, 1, 0.1]


@pytest.mark.parametrize("schedule", ["constant", "step", "cosine", "one_cycle"])
def test_each_part_keeps_its_factor_under_every_schedule(schedule: str) -> None:
    training = TrainingSpec(optimiser="sgd", momentum=0.9, nesterov=False, learning_rate=0.05, schedule=schedule)  # type: ignore[arg-type]
    network, oracle = network_of(), network_of()
    network.freeze(frozen(network.operations, RATES))
    step = Step(network.train(), training, CPU, Execution("float32", "channels_first", False, 1), rates=RATES)
    oracle.train()
    optimiser = torch.optim.SGD(
        [
            {"params": [parameter], "factor": factor_of(name, RATES)}
            for name, parameter in oracle.named_parameters()
            if not name.startswith("0.")
        ],
        lr=1.0,
        momentum=0.9,
    )
    images, labels = torch.randint(0, 256, (32, 1, 8, 8), dtype=torch.uint8), torch.randint(0, 10, (32,))
    for number in range(6):
        rate = learning_rate(training, number, 6, 2) * (2.0 if number >= 3 else 1.0)  # a person's change
        torch.manual_seed(number)
        step(images, labels, rate)
        for group in optimiser.param_groups:
            group["lr"] = rate * group["factor"]
        torch.manual_seed(number)
        optimiser.zero_grad()
        F.cross_entropy(oracle(images), labels).backward()
        optimiser.step()
    for (name, ours), theirs in zip(network.named_parameters(), oracle.parameters(), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-6), name
    assert torch.equal(network[0].weight, network_of()[0].weight)
    assert not torch.equal(network[7].weight, network_of()[7].weight)


@pytest.mark.parametrize("address", ["1", "4", "4.norm1"])
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("optimiser", ["adamw", "rmsprop", "muon"])
def test_frozen_parts_and_their_statistics_do_not_move(address: str, first: bool, optimiser: Any) -> None:
    rates = (LayerRate(address=address, factor=0),)
    network = network_of()
    network.freeze(frozen(network.operations, rates))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    training = TrainingSpec(optimiser=optimiser, weight_decay=0.1)
    step = Step(network.train(), training, CPU, Execution("float32", "channels_last", first, 1), rates=rates)
    for _ in range(3):
        step(torch.randint(0, 256, (16, 1, 8, 8), dtype=torch.uint8), torch.randint(0, 10, (16,)), 0.1)
        step.forward.eval()
        step.forward.train()  # as after each validation
    moved = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert not [name for name in moved if f"{name}.".startswith(f"{address}.")]
    assert any(name.startswith("1.running") for name in moved) == (address != "1")
    assert not [group for group in step.optimiser.param_groups for p in group["params"] if not p.requires_grad]


@pytest.mark.parametrize(
    "training", [{"optimiser": "adam"}, {"optimiser": "muon", "ema_decay": 0.9}, {"optimiser": "rmsprop"}]
)
def test_a_run_with_rates_that_is_resumed_ends_as_one_that_was_not(home: Path, training: dict[str, Any]) -> None:
    rates = [{"address": "0", "factor": 0}, {"address": "4", "factor": 0.1}]
    recipe, data = recipe_of(rates, **training), open_dataset("digits")
    whole = TrainingSession(recipe, data, RunFolder("aaaa0001"), "cpu")
    start = {name: value.clone() for name, value in whole.network.state_dict().items()}
    for _ in whole.run():
        pass
    cut = TrainingSession(recipe, data, RunFolder("aaaa0002"), "cpu")
    for event in cut.run():
        if isinstance(event, Report | EpochEnd):
            cut.change_learning_rate(cut.rate)
            break
    resumed = TrainingSession(recipe, data, RunFolder("aaaa0002"), "cpu")
    assert resumed.step > 0
    for _ in resumed.run():
        pass
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name]), name
        assert torch.equal(value, start[name]) == (name.startswith(("0.", "input."))), name
    averaged = resumed._learn.kept.state_dict()
    assert all(torch.equal(value, averaged[name]) for name, value in whole._learn.kept.state_dict().items())


def test_pooling_is_moved_in_chains_at_any_depth() -> None:
    torch.manual_seed(0)
    inner = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2))
    outer = nn.Sequential(nn.Sequential(nn.BatchNorm2d(3), inner), nn.Flatten())
    view = pool_first(outer)
    names = [type(module).__name__ for module in view.modules()]
    assert names[3:] == ["Sequential", "ConvThenPool", "Conv2d", "MaxPool2d", "ReLU", "Flatten"]
    images = torch.randn(5, 3, 9, 9)
    assert torch.allclose(view(images), outer(images), atol=1e-6)
    assert pool_first(nn.Sequential(nn.Flatten())) is not None
    assert list(inner.children())[1].__class__ is nn.ReLU


@pytest.mark.parametrize(
    ("rates", "part"),
    [
        ([{"address": "8", "factor": 1}], "no part '8'. Its parts: 0, 1, 2, 3, 4.conv1"),
        ([{"address": "4.conv3", "factor": 1}], "no part '4.conv3'"),
        ([{"address": "", "factor": 1}], "no part ''"),
        ([{"address": str(position), "factor": 0} for position in range(8)], "every part of the network is frozen"),
    ],
)
def test_rates_that_cannot_work_are_refused(rates: list[dict[str, Any]], part: str) -> None:
    with pytest.raises(RecipeError, match=part):
        recipe_of(rates)


def test_rates_travel_in_addresses_and_files() -> None:
    recipe = recipe_of([{"address": "4.conv1", "factor": 0.5}])
    assert Recipe.from_query(recipe.to_query()) == recipe
    assert Recipe.from_json(recipe.to_json()) == recipe
