"""Every layer kind says which operations it is made of: their addresses are the names torch gives its modules."""

import pytest
import torch
from torch import nn

from cnn_core.inspection.feature_maps import feature_maps, inner_maps
from cnn_core.models.layers import layer_kinds
from cnn_core.models.network import Network, build
from cnn_core.models.presets import network_presets
from cnn_core.recipe import LayerSpec

RESIDUALS = [
    LayerSpec(kind="residual"),
    LayerSpec(kind="residual", channels=6, stride=2),
    LayerSpec(kind="global_pool"),
    LayerSpec(kind="linear"),
]


def leaves(network: Network) -> list[str]:
    return [name for name, module in network.named_modules() if name[:1].isdigit() and not list(module.children())]


@pytest.mark.parametrize("kind", layer_kinds.names())
def test_of_every_kind(kind: str) -> None:
    layers = {"flatten": [LayerSpec(kind="flatten")], "linear": [LayerSpec(kind="flatten"), LayerSpec(kind="linear")]}
    before = layers.get(kind, [LayerSpec(kind=kind)])
    flat = [] if kind in ("flatten", "linear", "global_pool") else [LayerSpec(kind="flatten")]
    network = build([*before, *flat, LayerSpec(kind="linear")], (3, 8, 8), 4)
    assert sorted(operation.address for operation in network.operations) == sorted(leaves(network))


@pytest.mark.parametrize("preset", network_presets.names())
def test_of_every_preset(preset: str) -> None:
    network = build(network_presets.get(preset).layers, (1, 32, 32), 10)
    assert sorted(operation.address for operation in network.operations) == sorted(leaves(network))
    assert [operation.position for operation in network.operations] == sorted(
        int(operation.address.split(".")[0]) for operation in network.operations
    )


def test_inner_maps_are_what_hooks_on_a_copy_see() -> None:
    torch.manual_seed(0)
    network, copy = (build(RESIDUALS, (4, 8, 8), 3).eval() for _ in range(2))
    copy.load_state_dict(network.state_dict())
    seen: dict[str, torch.Tensor] = {}

    def note(name: str) -> object:
        return lambda _module, _inputs, output: seen.update({name: output.detach()})

    for name, module in copy.named_modules():
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d | nn.ReLU):
            module.register_forward_hook(note(name))
    image = torch.randint(0, 256, (1, 4, 8, 8), dtype=torch.uint8)
    copy(image)
    for position in (0, 1):
        for maps in inner_maps(network, image, position):
            assert torch.equal(torch.from_numpy(maps.maps), seen[maps.address][0]), maps.address
    assert [maps.title for maps in inner_maps(network, image, 1)][::4] == [
        "Residual block, convolution 1",
        "Residual block, batch norm 2",
    ]
    assert (inner_maps(network, image, 2)[0].maps == feature_maps(network, image)[2].maps).all()
