"""Networks to operate on, and maps silenced by hooks on copies of them."""

import copy
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from cnn_core.models.network import Network, build
from cnn_core.models.presets import network_presets
from cnn_core.recipe import LayerSpec

Where = tuple[str, int]  # address, and channels of a map there
CLASSES = 5

# Every convolution and linear layer of these, with the batch norms that its maps reach by themselves.
PLACES: dict[str, dict[str, list[Where]]] = {
    "simple_cnn": {address: [] for address in ("0", "3", "6", "10", "12")},
    "compact_resnet": {
        "0": [("2", 1)],
        "4": [("6", 1)],
        "8.conv1": [("8.norm1", 1)],
        "8.conv2": [("8.norm2", 1)],
        "9.conv1": [("9.norm1", 1)],
        "9.conv2": [("9.norm2", 1)],
        "9.skip_conv": [("9.skip_norm", 1)],
        "11": [],
    },
    "mlp": {"1": [], "3": [], "5": []},
    "lenet5": {address: [] for address in ("0", "3", "7", "9", "11")},
    "sigmoid_then_norm": {"0": [("2", 1), ("4", 16), ("5", 16)], "6": [("7", 1)], "8": []},
}
CASES = [(name, address) for name, places in PLACES.items() for address in places]


def network_of(name: str) -> Network:
    """An untrained network for 1 × 8 × 8 (`sigmoid_then_norm`) or 1 × 16 × 16, whose running statistics have moved."""
    torch.manual_seed(0)
    if name == "sigmoid_then_norm":
        kinds = ("sigmoid", "batch_norm", "flatten", "batch_norm", "batch_norm")
        specs = [LayerSpec(kind="conv", channels=3, stride=2), *(LayerSpec(kind=kind) for kind in kinds)]
        specs += [LayerSpec(kind="linear", features=4), LayerSpec(kind="batch_norm"), LayerSpec(kind="linear")]
        network = build(specs, (1, 8, 8), CLASSES, [0.5], [0.25])
    else:
        network = build(network_presets.get(name).layers, (1, 16, 16), CLASSES, [0.5], [0.25])
    for _ in range(2):
        network(images_for(network, 32))
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.bias.normal_()
    return network.eval()


def images_for(network: Network, count: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, *network.input_shape), dtype=torch.uint8, generator=generator)


def silenced_by_hand(network: Network, images: Tensor, address: str, unit: int, norms: Iterable[Where]) -> np.ndarray:
    """Logits of a copy in which hooks write zeros over the map, at the layer and at each of `norms`."""
    other = copy.deepcopy(network)
    for place, numbers in [(address, 1), *norms]:

        def write(_module: nn.Module, _inputs: object, output: Tensor, numbers: int = numbers) -> Tensor:
            keep = torch.ones(output.shape[1])
            keep[unit * numbers : (unit + 1) * numbers] = 0
            return output * keep.view(-1, *[1] * (output.ndim - 2))

        other.get_submodule(place).register_forward_hook(write)
    with torch.no_grad():
        return other(images).numpy()
