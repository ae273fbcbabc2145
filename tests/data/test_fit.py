"""Bringing an image to a square of the network's size: imports and uploads alike."""

import numpy as np
import pytest
from PIL import Image
from torch import from_numpy
from torch.nn.functional import interpolate

from cnn_core.data.decode import fit

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_a_image_that_fits_is_unchanged(channels: int, mode: str) -> None:
    pixels = RNG.integers(0, 256, (28, 28, channels), np.uint8)
    image = Image.fromarray(pixels.squeeze())
    assert image.mode == mode
    fitted = fit(image, channels, 28)
    assert fitted.dtype == np.uint8
    assert fitted.flags.c_contiguous
    assert np.array_equal(fitted, pixels.transpose(2, 0, 1))


@pytest.mark.parametrize(("side", "size"), [(96, 32), (100, 28), (28, 64), (8, 28)])
def test_resizing_is_torch_s_antialiased_bilinear(side: int, size: int) -> None:
    pixels = RNG.integers(0, 256, (side, side, 3), np.uint8)
    theirs = interpolate(
        from_numpy(pixels).permute(2, 0, 1)[None].float(), (size, size), mode="bilinear", antialias=True
    )
    assert np.abs(fit(Image.fromarray(pixels), 3, size) - theirs[0].numpy()).max() <= 1.01


def test_fine_stripes_become_grey_and_not_false_stripes() -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), (200, 100))
    assert np.abs(fit(Image.fromarray(stripes), 1, 20).astype(int) - 127).max() <= 5


@pytest.mark.parametrize("size", [(60, 20), (20, 60)])
def test_the_middle_square_is_taken(size: tuple[int, int]) -> None:
    image = Image.new("RGB", size, (255, 0, 0))
    middle = ((size[0] - 20) // 2, (size[1] - 20) // 2)
    image.paste((0, 0, 255), (*middle, middle[0] + 20, middle[1] + 20))
    assert np.array_equal(fit(image, 3, 10), np.broadcast_to(np.array([0, 0, 255])[:, None, None], (3, 10, 10)))


def test_grey_and_colour_are_converted() -> None:
    grey = Image.new("L", (9, 9), 77)
    assert np.array_equal(fit(grey, 3, 4), np.full((3, 4, 4), 77))
    green = Image.new("RGB", (9, 9), (0, 255, 0))
    assert np.array_equal(fit(green, 1, 4), np.full((1, 4, 4), 150))  # ITU-R 601-2: 0.587 · 255
    assert fit(Image.new("CMYK", (9, 9)), 3, 4).shape == (3, 4, 4)


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1)])
def test_extreme_shapes(size: tuple[int, int]) -> None:
    assert fit(Image.new("L", size, 9), 1, 28).tolist() == np.full((1, 28, 28), 9).tolist()


def test_other_numbers_of_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="1 or 3 channels, not 4"):
        fit(Image.new("RGB", (4, 4)), 4, 4)
