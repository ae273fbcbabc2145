"""Feature maps and filters against torch's own step by step results."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnn_core.inspection.feature_maps import feature_maps
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


def test_maps_are_what_each_layer_gives_in_evaluation() -> None:
    network, image = network_of(SPECS), torch.randn(1, 1, 8, 10)
    network(torch.randn(16, 1, 8, 10))  # moves the running means of batch norm away from zero
    found = feature_maps(network, image)
    network.eval()
    for position, (layer, child) in enumerate(zip(found, network, strict=True)):
        image = child(image)
        expected = image[0].detach().numpy()
        assert (layer.position, layer.kind) == (position, SPECS[position].kind)
        assert layer.maps.dtype == np.float32
        np.testing.assert_array_equal(layer.maps, expected)
    assert [layer.maps.shape for layer in found] == [(4, 8, 10)] * 4 + [(6, 4, 5), (6,), (3,)]
    assert found[4].title == "Residual block"


def test_a_convolution_by_hand() -> None:
    """An edge finder on a step gives the step's height at the edge and nothing elsewhere."""
    network = network_of([LayerSpec(kind="conv", channels=1, padding=0), *SPECS[-2:]])
    convolution = network[0]
    assert isinstance(convolution, nn.Conv2d)
    with torch.no_grad():
        convolution.weight.copy_(torch.tensor([[[[-1.0, 0, 1], [-1, 0, 1], [-1, 0, 1]]]]))
        assert convolution.bias is not None
        convolution.bias.zero_()
    image = torch.zeros(1, 1, 8, 10)
    image[..., 5:] = 2
    np.testing.assert_allclose(feature_maps(network, image)[0].maps, [[[0, 0, 0, 6, 6, 0, 0, 0]] * 6])


def test_the_network_is_left_as_it_was() -> None:
    network = network_of(SPECS).train()
    network[1].eval()
    state = {name: value.clone() for name, value in network.state_dict().items()}
    feature_maps(network, torch.randn(1, 1, 8, 10))
    assert network.training
    assert not network[1].training
    assert network[4].training
    assert all(torch.equal(state[name], value) for name, value in network.state_dict().items())
    assert all(weights.grad is None for weights in network.parameters())
    assert not any(module._forward_hooks for module in network.modules())


def test_it_is_left_as_it_was_after_an_error_too() -> None:
    network = network_of(SPECS).train()
    with pytest.raises(RuntimeError):
        feature_maps(network, torch.randn(1, 2, 8, 10))
    assert network.training
    assert not any(module._forward_hooks for module in network.modules())


def test_maps_are_copies_in_plain_order_whatever_the_memory_format() -> None:
    network = network_of(SPECS).to(memory_format=torch.channels_last)
    image = torch.randn(1, 1, 8, 10).contiguous(memory_format=torch.channels_last)
    first = feature_maps(network, image)
    before = [layer.maps.copy() for layer in first]
    feature_maps(network, torch.zeros_like(image))
    for layer, expected in zip(first, before, strict=True):
        assert layer.maps.flags.c_contiguous
        np.testing.assert_array_equal(layer.maps, expected)


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
    image = torch.randn(1, 1, 8, 10)
    convolution = network[0]
    assert isinstance(convolution, nn.Conv2d)
    maps = F.conv2d(image, torch.from_numpy(found[0].weights), convolution.bias, padding=1)
    np.testing.assert_allclose(feature_maps(network, image)[0].maps, maps[0].detach(), atol=1e-6)


def test_filters_are_copies() -> None:
    network = network_of(SPECS)
    filters(network)[0].weights.fill(0)
    assert filters(network)[0].weights.any()


def test_a_dense_network_has_no_filters() -> None:
    assert filters(build(network_presets.get("mlp").layers, (1, 8, 8), 10)) == []


@pytest.mark.parametrize("name", network_presets.names())
def test_every_preset_can_be_looked_into(name: str) -> None:
    network = build(network_presets.get(name).layers, (3, 32, 32), 10)
    maps = feature_maps(network, torch.randn(1, 3, 32, 32))
    assert len(maps) == len(network)
    assert maps[-1].maps.shape == (10,)
