"""What the last layer decides from, against a hook made by hand."""

import pytest
import torch
from torch import Tensor, nn

from cnn_core.inspection.activations import penultimate
from cnn_core.models.network import Network, build
from cnn_core.recipe import LayerSpec


def network(*kinds: str | dict) -> Network:
    torch.manual_seed(0)
    layers = [LayerSpec(kind=kind) if isinstance(kind, str) else LayerSpec(**kind) for kind in kinds]
    return build(layers, (1, 12, 12), 5)


def images(count: int) -> Tensor:
    return torch.randn(count, 1, 12, 12, generator=torch.Generator().manual_seed(1))


def test_it_is_what_goes_into_the_last_linear_layer() -> None:
    made = network(
        {"kind": "conv", "channels": 4}, "relu", "flatten", {"kind": "linear", "features": 7}, "relu", "linear"
    )
    batch = images(6)
    kept: list[Tensor] = []
    hook = made[5].register_forward_hook(lambda _module, inputs, _output: kept.append(inputs[0].detach()))
    made.eval()(batch)
    hook.remove()
    found = penultimate(made, batch.split(4))
    assert found.shape == (6, 7)
    assert torch.allclose(torch.from_numpy(found), kept[0], atol=1e-6)
    assert torch.allclose(made[5](torch.from_numpy(found)), made(batch), atol=1e-5)


def test_without_a_linear_layer_it_is_the_pooled_input_of_the_last_convolution() -> None:
    made = network({"kind": "conv", "channels": 4}, "relu", {"kind": "conv", "channels": 5}, "global_pool")
    found = penultimate(made, [images(3)])
    theirs = made[1](made[0](images(3))).mean((2, 3))
    assert torch.allclose(torch.from_numpy(found), theirs, atol=1e-6)


def test_modes_and_hooks_are_left_as_they_were() -> None:
    made = network({"kind": "conv", "channels": 4}, "batch_norm", "dropout", "flatten", "linear")
    made.train()
    before = {name: value.clone() for name, value in made.state_dict().items()}
    penultimate(made, [images(4)])
    assert all(module.training for module in made.modules())
    assert not made[4]._forward_pre_hooks
    assert all(torch.equal(value, before[name]) for name, value in made.state_dict().items())


def test_a_network_without_weights_is_refused() -> None:
    with pytest.raises(ValueError, match="no last layer"):
        penultimate(nn.Sequential(nn.Flatten()), [images(1)])
