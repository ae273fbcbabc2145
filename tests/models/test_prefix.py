"""The frozen first layers of a network: how many there are, and the two parts that compute the same as the whole."""

import pytest
import torch

from cnn_core.models.network import Network, build
from cnn_core.models.operations import frozen
from cnn_core.models.prefix import divide, has_convolution, join, settled_layers
from cnn_core.recipe import LayerRate, LayerSpec
from cnn_core.training.reorder import pool_first

CONV = {"kind": "conv", "channels": 4}
INNER = [CONV, {"kind": "batch_norm"}, {"kind": "relu"}]
LAYERS = [
    CONV,
    {"kind": "batch_norm"},
    {"kind": "relu"},
    {"kind": "max_pool"},
    {"kind": "dropout"},
    {"kind": "repeat", "times": 2, "layers": INNER},
    {"kind": "branches", "merge": "add", "branches": [INNER, []]},
    {"kind": "residual", "channels": 6},
    {"kind": "global_pool"},
    {"kind": "linear"},
]


def network_of(*addresses: str, layers: list[dict[str, object]] = LAYERS) -> Network:
    torch.manual_seed(0)
    network = build([LayerSpec.model_validate(layer) for layer in layers], (1, 8, 8), 3)
    network.freeze(frozen(network.operations, [LayerRate(address=address, factor=0) for address in addresses]))
    return network.train()


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        ((), 0),
        (("1",), 0),  # the convolution before it learns
        (("0",), 1),  # batch norm moves
        (("0", "1"), 4),  # an activation and a pooling come along, dropout does not
        (("0", "1", "3"), 4),
        (("0", "1", "4"), 5),  # a frozen dropout is off
        (("0", "1", "4", "5"), 6),
        (("0", "1", "4", "5.0"), 5),  # half a group learns
        (("0", "1", "4", "5", "6"), 7),
        (("0", "1", "4", "5", "6", "7.conv1"), 7),
        (("0", "1", "4", "5", "6", "7"), 9),
        (tuple(map(str, range(10))), 0),  # nothing would be left
    ],
)
def test_leading_layers_that_stay_as_they_are(addresses: tuple[str, ...], expected: int) -> None:
    network = network_of(*addresses)
    assert settled_layers(network) == expected
    assert network.training


def test_an_image_gives_the_same_in_training_as_in_evaluation() -> None:
    network = network_of("0", "1", "4", "5", "6", "7")
    first, _ = divide(network, settled_layers(network))
    images = torch.randint(0, 256, (5, 1, 8, 8), dtype=torch.uint8)
    training = first.train()(images)
    assert torch.equal(training, first.eval()(images))
    assert torch.equal(training[:2], first(images[:2]))


@pytest.mark.parametrize("reordered", [False, True])
@pytest.mark.parametrize("layers", [1, 3, 5, 9])
def test_the_parts_compute_what_the_whole_does(layers: int, reordered: bool) -> None:
    network = network_of("0", "1", "4").eval()
    images = torch.randint(0, 256, (5, 1, 8, 8), dtype=torch.uint8)
    first, last = divide(network, layers)
    assert [name for name, _ in first.named_parameters()] + [name for name, _ in last.named_parameters()] == [
        name for name, _ in network.named_parameters()
    ]
    if reordered:
        first, last = pool_first(first), pool_first(last)  # type: ignore[assignment]
    expected = network(images)
    assert torch.allclose(last(first(images)), expected, atol=1e-6)
    assert torch.allclose(join(first, last)(images), expected, atol=1e-6)
    assert len(network) == len(LAYERS)


def test_a_part_keeps_its_frozen_layers_in_evaluation_mode() -> None:
    network = network_of("0", "1", "7")
    _, last = divide(network, 4)
    last.eval()
    last.train()
    assert not any(module.training for module in network[7].modules())
    assert network[5].training


@pytest.mark.parametrize("reordered", [False, True])
def test_frozen_pooling_is_moved_too(reordered: bool) -> None:
    layers = [CONV, {"kind": "relu"}, {"kind": "max_pool"}, {"kind": "flatten"}, {"kind": "linear"}]
    network = network_of("0", "1", "2", layers=layers)
    forward = pool_first(network) if reordered else network
    forward.eval()
    forward.train()
    assert not network[0].training
    assert network[4].training


def test_convolutions_are_found_inside_layers() -> None:
    network = network_of()
    assert has_convolution(network, 1)
    assert not has_convolution(network_of(layers=[{"kind": "relu"}, {"kind": "flatten"}, {"kind": "linear"}]), 2)
    assert has_convolution(network_of(layers=[LAYERS[5], {"kind": "flatten"}, {"kind": "linear"}]), 1)
