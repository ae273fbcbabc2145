"""Every layer kind says which operations it is made of: their addresses are the names torch gives its modules."""

import pytest
import torch

from cnn_core.inspection.stage.arithmetic import arithmetic
from cnn_core.inspection.stage.frame import choice_of, frame, look
from cnn_core.inspection.stage.packing import pack
from cnn_core.models.layers import layer_kinds
from cnn_core.models.network import Network, build
from cnn_core.models.presets import network_presets
from cnn_core.recipe import LayerSpec

CONV = {"kind": "conv", "channels": 3}
INSIDE: dict[str, dict] = {
    "repeat": {"layers": [CONV, {"kind": "relu"}]},
    "branches": {"merge": "add", "branches": [[CONV, {"kind": "repeat", "layers": [CONV]}], [{"kind": "residual"}]]},
}


def leaves(network: Network) -> list[str]:
    return [name for name, module in network.named_modules() if name[:1].isdigit() and not list(module.children())]


@pytest.mark.parametrize("kind", layer_kinds.names())
def test_of_every_kind(kind: str) -> None:
    layers = {"flatten": [LayerSpec(kind="flatten")], "linear": [LayerSpec(kind="flatten"), LayerSpec(kind="linear")]}
    before = layers.get(kind, [LayerSpec(kind=kind, **INSIDE.get(kind, {}))])
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


@pytest.mark.parametrize("kind", layer_kinds.names())
def test_the_stage_knows_every_kind(kind: str) -> None:
    layers = {"flatten": [LayerSpec(kind="flatten")], "linear": [LayerSpec(kind="flatten"), LayerSpec(kind="linear")]}
    before = layers.get(kind, [LayerSpec(kind=kind, **INSIDE.get(kind, {}))])
    flat = [] if kind in ("flatten", "linear", "global_pool") else [LayerSpec(kind="flatten")]
    network = build([*before, *flat, LayerSpec(kind="linear")], (3, 8, 8), 4).eval()
    seen = look(network, torch.randint(0, 256, (1, 3, 8, 8), dtype=torch.uint8))
    assert pack(frame(seen, choice_of(seen)))
    for node in seen.nodes:
        assert arithmetic(seen, node.address, 0)["kind"] == node.kind
        assert node.title
