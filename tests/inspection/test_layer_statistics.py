"""Statistics of every layer against torch's hooks and numpy."""

import numpy as np
import pytest
import torch
from torch import Tensor

from cnn_core.inspection.layer_statistics import layer_statistics
from cnn_core.models.network import Network, build
from cnn_core.models.presets import network_presets
from cnn_core.recipe import LayerSpec


def by_hooks(network: Network, images: Tensor) -> list[np.ndarray]:
    """Outputs of all layers but flattens."""
    kept: list[np.ndarray] = []
    hooks = [
        child.register_forward_hook(lambda _module, _inputs, output: kept.append(output.detach().numpy().copy()))
        for layer, child in zip(network.layers, network, strict=True)
        if layer.kind != "flatten"
    ]
    network.eval()(images)
    for hook in hooks:
        hook.remove()
    return kept


@pytest.mark.parametrize("name", ["simple_cnn", "compact_resnet", "mlp"])
def test_mean_and_deviation_of_every_map(name: str) -> None:
    torch.manual_seed(0)
    network = build(network_presets.get(name).layers, (1, 28, 28), 10)
    images = torch.randn(5, 1, 28, 28)
    found = layer_statistics(network, images.split(2))
    assert network.training
    for values, outputs in zip(found, by_hooks(network, images), strict=True):
        maps = outputs.ndim == 4
        expected = np.hstack([outputs.std((2, 3)), outputs.mean((2, 3))]) if maps else outputs
        assert values.dtype == np.float32
        np.testing.assert_allclose(values, expected, rtol=1e-3, atol=1e-5)


def test_a_network_without_a_linear_layer_has_statistics_too() -> None:
    layers = [LayerSpec(kind="conv", channels=4), LayerSpec(kind="conv", channels=3), LayerSpec(kind="global_pool")]
    network = build(layers, (1, 8, 8), 3)
    assert [values.shape for values in layer_statistics(network, [torch.randn(6, 1, 8, 8)])] == [(6, 8), (6, 6), (6, 3)]


def test_maps_of_a_single_pixel_have_no_deviation() -> None:
    layers = [LayerSpec(kind="conv", channels=4), LayerSpec(kind="flatten"), LayerSpec(kind="linear")]
    found = layer_statistics(build(layers, (1, 1, 1), 3), [torch.randn(6, 1, 1, 1)])
    assert (found[0][:, :4] == 0).all()
    assert np.isfinite(found[0]).all()


def test_no_images_are_refused() -> None:
    with pytest.raises(ValueError, match="no images"):
        layer_statistics(build([LayerSpec(kind="flatten"), LayerSpec(kind="linear")], (1, 2, 2), 2), [])
