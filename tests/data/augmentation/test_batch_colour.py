"""Each change of colour against torchvision's operation on one image with the same parameters."""

import pytest
import torch
from torchvision.transforms.v2 import functional as oracle

from cnn_core.data.augmentation import batch_colour as batch
from tests.data.augmentation.augmented import per_image, pictures

ROUNDING = 5e-6  # of values 0..1: float32 arithmetic in another order
FACTORS = torch.tensor([0.0, 0.5, 0.9, 1.0, 1.3, 2.0])
CHOSEN = torch.tensor([True, False, True, True, False, False])


@pytest.mark.parametrize("channels", [1, 3])
def test_brightness_contrast_saturation_hue_sharpness(channels: int) -> None:
    images = pictures(channels=channels)
    turns = torch.tensor([-0.5, -0.2, 0.0, 0.01, 0.3, 0.5])
    for ours, theirs in (
        (batch.brighten(images, FACTORS), per_image(images, FACTORS, oracle.adjust_brightness)),
        (batch.contrast(images, FACTORS), per_image(images, FACTORS, oracle.adjust_contrast)),
        (batch.saturate(images, FACTORS), per_image(images, FACTORS, oracle.adjust_saturation)),
        (batch.turn_hue(images, turns), per_image(images, turns, oracle.adjust_hue)),
        (batch.sharpen(images, FACTORS), per_image(images, FACTORS, oracle.adjust_sharpness)),
    ):
        assert torch.allclose(ours, theirs, atol=ROUNDING)


@pytest.mark.parametrize("channels", [1, 3])
def test_greyscale(channels: int) -> None:
    images = pictures(channels=channels)

    def theirs(image: torch.Tensor, grey: bool) -> torch.Tensor:
        return oracle.rgb_to_grayscale(image, num_output_channels=channels) if grey else image

    assert torch.allclose(batch.saturate(images, (~CHOSEN).float()), per_image(images, CHOSEN, theirs), atol=ROUNDING)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_invert_to_the_bit(dtype: torch.dtype) -> None:
    images = oracle.to_dtype(pictures(), dtype, scale=True)
    theirs = per_image(images, CHOSEN, lambda image, yes: oracle.invert(image) if yes else image)
    assert torch.equal(batch.invert(images, CHOSEN), theirs)


def test_blur() -> None:
    images, sigmas = pictures(), torch.tensor([0.2, 0.5, 0.8, 1.0, 1.7, 3.0])
    theirs = per_image(images, sigmas, lambda image, sigma: oracle.gaussian_blur(image, [7, 7], [sigma, sigma]))
    assert torch.allclose(batch.blur(images, sigmas, 3), theirs, atol=ROUNDING)
    assert torch.allclose(batch.blur(images, torch.zeros(6), 3), images, atol=ROUNDING)


def test_noise() -> None:
    images, deviations = pictures(), torch.tensor([0.0, 0.01, 0.1, 0.3, 0.5, 1.0])
    torch.manual_seed(4)
    theirs = per_image(images, deviations, lambda image, sigma: oracle.gaussian_noise(image, 0.0, sigma, clip=True))
    torch.manual_seed(4)
    noise = torch.stack([torch.randn_like(image) for image in images])
    assert torch.allclose(batch.add_noise(images, noise, deviations), theirs, atol=ROUNDING)
