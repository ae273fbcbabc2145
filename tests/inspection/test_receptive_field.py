"""Receptive fields against gradients, at every place of the maps."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from cnn_core.inspection.receptive_field import receptive_field, windows
from cnn_core.models.network import INPUT, Network, build
from cnn_core.models.preset import layer
from tests.inspection.test_stage import network_of

END = (layer("flatten"), layer("linear"))
Box = tuple[int, int, int, int]


def positive(layers: Any, height: int, width: int) -> Network:
    """Every weight positive: no part of a receptive field is cancelled."""
    network = build((*layers, *END), (1, height, width), 2).eval()
    for name, weight in network.named_parameters():
        weight.data.fill_(1.0 if "weight" in name else 0.1)
    return network


def fields(network: Network, address: str) -> tuple[list[Box], list[Box]]:
    """At every place of the maps: by gradients, and by the function."""
    _, height, width = network.input_shape
    image = torch.ones(1, 1, height, width, requires_grad=True)
    kept: list[Tensor] = []
    hook = network.get_submodule(address).register_forward_hook(lambda *of: kept.append(of[2]))
    network(image)
    hook.remove()
    expected, found = [], []
    for row, column in np.ndindex(*kept[0].shape[2:]):
        (gradient,) = torch.autograd.grad(kept[0][0, 0, row, column], image, retain_graph=True)
        expected.append(extent(gradient[0, 0]))
        found.append(receptive_field(network, address, row, column))
    return expected, found


def extent(gradient: Tensor) -> Box:
    rows, columns = (gradient != 0).nonzero(as_tuple=True)
    if not len(rows):
        return 0, 0, 0, 0
    return int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1


@pytest.mark.parametrize(
    ("layers", "address"),
    [
        # the last rows are left out by a stride, and padding follows
        ((layer("avg_pool", kernel=3, stride=3), layer("conv", channels=1, kernel=3)), "1"),
        ((layer("conv", channels=1, stride=2, padding=0), layer("conv", channels=1, kernel=5, padding=2)), "1"),
        ((layer("avg_pool", kernel=3, stride=2), layer("residual", channels=2, stride=2)), "1.relu2"),
        # only padding is seen at the border
        ((layer("conv", channels=1, kernel=1, padding=1),), "0"),
        ((layer("conv", channels=1, kernel=1, padding=3), layer("conv", channels=1, padding=0)), "1"),
        # pixels between the windows are seen by none
        ((layer("conv", channels=1, kernel=1, stride=3, padding=0), layer("conv", channels=1)), "1"),
        # the whole image
        ((layer("conv", channels=1, kernel=7, padding=3), layer("conv", channels=1, kernel=9, padding=4)), "1"),
    ],
)
@pytest.mark.parametrize("size", [(8, 8), (9, 14)])
def test_it_is_where_the_gradient_is_not_zero_at_every_place(layers: Any, address: str, size: tuple[int, int]) -> None:
    expected, found = fields(positive(layers, *size), address)
    assert found == expected


def test_the_image_sees_itself_and_a_row_of_numbers_all_of_it() -> None:
    network = network_of("compact_resnet")
    assert receptive_field(network, INPUT, 3, 5) == (3, 5, 4, 6)
    last = str(len(network) - 1)
    assert windows(network)[last] is None
    assert receptive_field(network, last) == (0, 0, 28, 28)
    assert receptive_field(network_of("mlp", 3, 8), "1") == (0, 0, 8, 8)


def test_an_address_that_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        receptive_field(network_of("mlp"), "77")
