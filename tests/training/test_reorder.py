"""Pooling before the activation changes neither values nor gradients."""

import copy

import pytest
import torch
from torch import nn

from cnn_core.models.network import build
from cnn_core.models.presets import network_presets
from cnn_core.training.reorder import MONOTONE, pool_first


@pytest.mark.parametrize("activation", MONOTONE)
@pytest.mark.parametrize("padding", [0, 1])
def test_same_values_and_gradients(activation: type[nn.Module], padding: int) -> None:
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Conv2d(3, 8, 3), activation(), nn.MaxPool2d(2, padding=padding), nn.Flatten())
    other = copy.deepcopy(plain)
    images = torch.randn(4, 3, 9, 9)
    expected, swapped = plain(images), pool_first(other)(images)
    torch.testing.assert_close(swapped, expected, atol=1e-6, rtol=1e-6)
    expected.square().sum().backward()
    swapped.square().sum().backward()
    for ours, theirs in zip(other[0].parameters(), plain[0].parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-5, rtol=1e-5)


def test_the_order_written_stays_the_order_inspected() -> None:
    network = build(network_presets.get("simple_cnn").layers, (3, 32, 32), 10)
    kinds = [type(module).__name__ for module in network]
    trained = [type(module).__name__ for module in pool_first(network)]
    assert kinds[:3] == ["Conv2d", "ReLU", "MaxPool2d"]
    assert trained[:2] == ["ConvThenPool", "ReLU"]
    assert [type(module).__name__ for module in network] == kinds


def test_what_does_not_commute_stays() -> None:
    modules = [nn.GELU(), nn.MaxPool2d(2), nn.ReLU(), nn.AvgPool2d(2), nn.MaxPool2d(2)]
    assert list(pool_first(nn.Sequential(*modules))) == modules
