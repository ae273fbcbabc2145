"""How far made images raise their objective: against the exact bound of a first layer, trained and not."""

from functools import cache

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from cnn_core.data.catalogue.library import open_dataset
from cnn_core.inspection.exciting import exciting
from cnn_core.inspection.feature_visualisation import Visualised, visualise
from cnn_core.models.network import Network
from tests.inspection.test_stage import network_of

CONVOLUTIONS = ("0", "3", "6")
MAPS = range(8)


@pytest.fixture(scope="module")
def trained() -> Network:
    """simple_cnn after 40 steps on Fashion-MNIST: 0.7 of the validation images are right."""
    dataset = open_dataset("fashion_mnist_sample")
    network, places = network_of("simple_cnn").train(), dataset.splits["train"][: 40 * 64]
    optimiser = torch.optim.Adam(network.parameters(), 0.003)
    for some in np.array_split(places, 40):
        optimiser.zero_grad()
        images, labels = torch.tensor(dataset.images[some]), torch.tensor(dataset.labels[some], dtype=torch.int64)
        F.cross_entropy(network(images), labels).backward()
        optimiser.step()
    some = dataset.splits["validation"][:500]
    with torch.no_grad():
        predicted = network.eval()(torch.tensor(dataset.images[some])).argmax(1).numpy()
    assert (predicted == dataset.labels[some]).mean() > 0.6
    return network


@cache
def fresh() -> Network:
    return network_of("simple_cnn", 3, 32)


@pytest.fixture(scope="module", params=["fresh", "trained"])
def network(request: pytest.FixtureRequest) -> Network:
    if request.param == "trained":
        found: Network = request.getfixturevalue("trained")
        return found
    return fresh()


@cache
def ends(network: Network, address: str, plain: bool = False) -> tuple[Visualised, Visualised]:
    steps = list(visualise(network, address, MAPS, "neuron", plain))
    return steps[0], steps[-1]


def living(network: Network, address: str) -> NDArray[np.bool_]:
    """(maps,): those that some validation image brings above zero; the ReLU behind cuts the others off for all."""
    dataset = open_dataset("fashion_mnist_sample")
    images = torch.tensor(dataset.images[dataset.splits["validation"][:500]])
    return exciting(network, [images], [address])[address].most.values[MAPS, 0] > 0


def bound(network: Network) -> NDArray[np.float32]:
    """(maps,): the largest value of each map of the first convolution for pixels within 0..1."""
    first = network.get_submodule("0")
    assert isinstance(first, nn.Conv2d)
    assert first.bias is not None
    mean, std = (getattr(network.input, name).reshape(1, -1, 1, 1) for name in ("mean", "std"))
    black, white = first.weight * (0 - mean) / std, first.weight * (1 - mean) / std
    return (torch.maximum(black, white).sum((1, 2, 3)) + first.bias).detach().numpy()[MAPS]


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("address", CONVOLUTIONS)
def test_the_objective_rises_threefold_over_the_start(network: Network, address: str, plain: bool) -> None:
    """The mean of the layer over the mean size of the start, so that starts of both signs do not cancel. Of one map of
    the first layer it cannot always: what nine pixels within 0..1 can raise is bounded."""
    start, end = ends(network, address, plain)
    assert end.objective.mean() >= 3 * np.abs(start.objective).mean()
    assert end.images.shape == (len(MAPS), *network.input_shape)
    assert 0 <= end.images.min() < end.images.max() <= 1
    assert (start.step, end.step) == (0, end.steps)


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("address", CONVOLUTIONS)
def test_every_map_of_a_fresh_network_rises(address: str, plain: bool) -> None:
    start, end = ends(fresh(), address, plain)
    assert (end.objective > start.objective).all()


@pytest.mark.parametrize("address", CONVOLUTIONS)
def test_every_living_map_rises(trained: Network, address: str) -> None:
    """One that no image brings above zero is at its highest, or nearly, for the grey it starts from."""
    start, end = ends(trained, address)
    alive = living(trained, address)
    assert alive.sum() >= len(MAPS) // 2
    assert (end.objective > start.objective)[alive].all()


@pytest.mark.parametrize("plain", [False, True])
def test_the_first_layer_comes_near_to_its_bound(network: Network, plain: bool) -> None:
    start, end = ends(network, "0", plain)
    share = (end.objective - start.objective) / (bound(network) - start.objective)
    assert share.max() <= 1 + 1e-4
    assert share.min() > (0.95 if plain else 0.75)
    assert share.mean() > 0.9


def test_each_first_map_that_can_rise_threefold_does(trained: Network) -> None:
    """Of the others the pixels' range is the reason."""
    start, end = ends(trained, "0")
    possible = bound(trained) >= 3.15 * np.abs(start.objective)
    assert possible.any()
    assert (end.objective >= 3 * np.abs(start.objective))[possible].all()
