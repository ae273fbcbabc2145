"""The built network: repeatable, plain, and its blocks the ones of the papers."""

import pickle

import pytest
import torch
from torch import nn
from torchvision.models.resnet import BasicBlock

from cnn_core.models.blocks import GlobalPool, ResidualBlock, ScaledLinear
from cnn_core.models.network import Network, build
from cnn_core.models.presets import network_presets
from cnn_core.recipe import LayerSpec

COMPACT = network_presets.get("compact_resnet").layers


def seeded(seed: int) -> Network:
    torch.manual_seed(seed)
    return build(COMPACT, (1, 28, 28), 10)


def test_the_seed_decides_the_weights() -> None:
    first, same, other = seeded(1).state_dict(), seeded(1).state_dict(), seeded(2).state_dict()
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_it_is_a_plain_sequence_in_layer_order() -> None:
    network = seeded(0).eval()
    assert [layer.kind for layer in network.layers] == [spec.kind for spec in COMPACT]
    assert len(network) == len(COMPACT)
    images = torch.randn(3, 1, 28, 28)
    assert torch.equal(nn.Sequential(*network)(images), network(images))
    assert {name.split(".")[0] for name in network.state_dict() if not name[0].isdigit()} == {"input"}


def test_weights_move_to_a_fresh_network_and_to_channels_last() -> None:
    network, other = seeded(0).eval(), seeded(1).eval()
    other.load_state_dict(network.state_dict())
    images = torch.randn(3, 1, 28, 28)
    assert torch.equal(network(images), other(images))
    last = other.to(memory_format=torch.channels_last)(images.contiguous(memory_format=torch.channels_last))
    assert torch.allclose(network(images), last, atol=1e-4)


def test_it_can_be_copied_to_another_process() -> None:
    network = seeded(0).eval()
    images = torch.randn(2, 1, 28, 28)
    assert torch.equal(pickle.loads(pickle.dumps(network))(images), network(images))


@pytest.mark.parametrize(("before", "after", "stride"), [(8, 8, 1), (8, 16, 2), (8, 12, 1), (8, 8, 2)])
def test_the_residual_block_is_torchvisions_basic_block(before: int, after: int, stride: int) -> None:
    block = ResidualBlock(before, after, stride)
    skip = nn.Sequential(block.skip_conv, block.skip_norm) if block.projects else None
    oracle = BasicBlock(before, after, stride, downsample=skip)
    oracle.conv1, oracle.bn1, oracle.conv2, oracle.bn2 = block.conv1, block.norm1, block.conv2, block.norm2
    images = torch.randn(4, before, 9, 9)
    assert torch.allclose(block.eval()(images), oracle.eval()(images), atol=1e-6)
    assert torch.allclose(block.train()(images), oracle.train()(images), atol=1e-6)


def test_global_pooling_and_the_scaled_head() -> None:
    maps = torch.randn(4, 6, 5, 3)
    assert torch.equal(GlobalPool("max")(maps), nn.AdaptiveMaxPool2d(1)(maps).flatten(1))
    assert torch.allclose(GlobalPool("average")(maps), nn.AdaptiveAvgPool2d(1)(maps).flatten(1), atol=1e-6)
    head = ScaledLinear(6, 3, bias=True, scale=0.125)
    row = torch.randn(4, 6)
    assert torch.allclose(head(row), nn.functional.linear(row, head.weight, head.bias) / 8)


def test_layers_of_unusual_parameters_reach_torch() -> None:
    specs = [
        LayerSpec(kind="conv", channels=4, kernel=5, stride=2, padding=3, bias=False),
        LayerSpec(kind="leaky_relu", slope=0.2),
        LayerSpec(kind="max_pool", kernel=3, stride=1, padding=1),
        LayerSpec(kind="dropout", probability=0.25),
        LayerSpec(kind="flatten"),
        LayerSpec(kind="batch_norm"),
        LayerSpec(kind="linear", bias=False),
    ]
    assert [str(child) for child in build(specs, (2, 8, 8), 10)] == [
        str(nn.Conv2d(2, 4, 5, 2, 3, bias=False)),
        str(nn.LeakyReLU(0.2)),
        str(nn.MaxPool2d(3, 1, 1)),
        str(nn.Dropout(0.25)),
        str(nn.Flatten()),
        str(nn.BatchNorm1d(100)),
        str(nn.Linear(100, 10, bias=False)),
    ]
