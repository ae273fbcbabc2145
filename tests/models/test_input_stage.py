"""Normalisation inside the network, against torchvision's."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.transforms import v2

from cnn_core.models.input_stage import InputStage
from cnn_core.models.network import build
from cnn_core.models.weights import load_weights, save_weights
from cnn_core.normalisation import normalised
from cnn_core.recipe import LayerSpec

MEAN, STD = {1: (0.3,), 3: (0.5, 0.4, 0.1)}, {1: (0.2,), 3: (0.2, 0.3, 0.4)}
LAYERS = [LayerSpec(kind="conv", channels=4), LayerSpec(kind="flatten"), LayerSpec(kind="linear")]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_bytes_and_floats_are_normalised_as_torchvision_does(channels: int, memory_format: torch.memory_format) -> None:
    images = torch.randint(0, 256, (5, channels, 6, 7), dtype=torch.uint8)
    images[0], images[1] = 0, 255
    stage = InputStage(MEAN[channels], STD[channels])
    stage.memory_format = memory_format
    expected = v2.Normalize(MEAN[channels], STD[channels])(v2.functional.to_dtype(images, torch.float32, scale=True))
    before = images.clone()
    for given in (images, images.float() / 255):
        found = stage(given)
        assert found.dtype == torch.float32
        assert found.is_contiguous(memory_format=memory_format)
        assert torch.allclose(found, expected, atol=1e-5)
    assert torch.equal(images, before)
    assert np.allclose(normalised(images.numpy(), MEAN[channels], STD[channels]), expected, atol=1e-5)


def test_a_blank_channel_is_no_division_by_zero() -> None:
    stage = InputStage((0.5, 0.2, 0.1), (0.1, 0.0, 0.1))
    assert torch.isfinite(stage(torch.zeros(1, 3, 2, 2, dtype=torch.uint8))).all()


def test_weights_bring_their_normalisation_along(tmp_path: Path) -> None:
    torch.manual_seed(0)
    one = build(LAYERS, (3, 8, 8), 5, MEAN[3], STD[3]).eval()
    other = build(LAYERS, (3, 8, 8), 5).eval()
    save_weights(one, tmp_path / "weights.safetensors")
    load_weights(other, tmp_path / "weights.safetensors")
    images = torch.randint(0, 256, (4, 3, 8, 8), dtype=torch.uint8)
    assert torch.equal(one(images), other(images))


def test_in_bfloat16_it_is_as_exact_as_in_float32() -> None:
    network = build(LAYERS, (3, 8, 8), 5, MEAN[3], STD[3]).eval()
    images = torch.randint(0, 256, (4, 3, 8, 8), dtype=torch.uint8)
    with torch.autocast("cpu", torch.bfloat16):
        assert network.input(images).dtype == torch.float32
        half = network(images)
    assert torch.allclose(half.float(), network(images), atol=0.1)
