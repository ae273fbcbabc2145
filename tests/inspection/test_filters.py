"""Filters are copies of the weights of every convolution."""

import torch

from cnn_core.inspection.filters import filters
from cnn_core.models.network import Network, build
from cnn_core.models.presets import network_presets
from cnn_core.recipe import LayerSpec

SPECS = [
    LayerSpec(kind="conv", channels=4),
    LayerSpec(kind="batch_norm"),
    LayerSpec(kind="relu"),
    LayerSpec(kind="dropout"),
    LayerSpec(kind="residual", channels=6, stride=2),
    LayerSpec(kind="global_pool", mode="max"),
    LayerSpec(kind="linear"),
]


def network_of(specs: list[LayerSpec]) -> Network:
    torch.manual_seed(0)
    return build(specs, (1, 8, 10), 3)


def test_filters_are_those_of_every_convolution() -> None:
    network = network_of(SPECS)
    found = filters(network)
    assert [(kernels.position, kernels.weights.shape) for kernels in found] == [
        (0, (4, 1, 3, 3)),
        (4, (6, 4, 3, 3)),
        (4, (6, 6, 3, 3)),
        (4, (6, 4, 1, 1)),
    ]
    assert [kernels.title for kernels in found] == [
        "Convolution",
        "Residual block, convolution 1",
        "Residual block, convolution 2",
        "Residual block, convolution on the skip",
    ]
    for kernels in found:
        convolution = network.get_submodule(kernels.address)
        assert torch.equal(torch.from_numpy(kernels.weights), convolution.get_parameter("weight"))


def test_filters_are_copies() -> None:
    network = network_of(SPECS)
    filters(network)[0].weights.fill(0)
    assert filters(network)[0].weights.any()


def test_a_dense_network_has_no_filters() -> None:
    assert filters(build(network_presets.get("mlp").layers, (1, 8, 8), 10)) == []
