"""Each change of geometry against torchvision's operation on one image with the same parameters, nearest pixel."""

import pytest
import torch
from torchvision.transforms.v2 import functional as oracle

from cnn_core.data.augmentation import batch_geometry as batch
from tests.data.augmentation.augmented import differing, per_image, pictures

HALF = 0.005  # share of pixels: a source coordinate of exactly half a pixel may round to either side
FLIPPED = torch.tensor([True, False, True, True, False, False])


@pytest.mark.parametrize("size", [20, 27])
def test_rotation_takes_the_same_pixels(size: int) -> None:
    images, degrees = pictures(size=size), torch.tensor([-90.0, -15.0, 0.0, 3.3, 45.0, 180.0])
    assert differing(batch.rotate(images, degrees), per_image(images, degrees, oracle.rotate)) < HALF


@pytest.mark.parametrize("size", [20, 27])
def test_scale_takes_the_same_pixels(size: int) -> None:
    images, factors = pictures(size=size), torch.tensor([0.31, 0.77, 1.0, 1.13, 1.49, 1.9])

    def theirs(image: torch.Tensor, factor: float) -> torch.Tensor:
        return oracle.affine(image, angle=0.0, translate=[0, 0], scale=factor, shear=[0.0, 0.0])

    assert differing(batch.scale(images, factors), per_image(images, factors, theirs)) < HALF


@pytest.mark.parametrize("size", [20, 27])
def test_shear_takes_the_same_pixels(size: int) -> None:
    images, angles = pictures(size=size), torch.tensor([[0, 0], [13, 0], [0, -21], [31, 7], [-44, 40], [-3, -8]])

    def theirs(image: torch.Tensor, both: list[float]) -> torch.Tensor:
        return oracle.affine(image, angle=0.0, translate=[0, 0], scale=1.0, shear=both)

    assert differing(batch.shear(images, *angles.float().unbind(1)), per_image(images, angles, theirs)) < HALF


@pytest.mark.parametrize("size", [20, 27])
def test_perspective_takes_the_same_pixels(size: int) -> None:
    images, own = pictures(size=size), torch.tensor([[0, 0], [size, 0], [size, size], [0, size]]).float()
    inwards = torch.tensor([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    draws = torch.rand(6, 4, 2, generator=torch.Generator().manual_seed(2)) * torch.tensor([0, 1, 2, 4, 6, 7.0]).view(
        6, 1, 1
    )
    corners = own + inwards * draws

    def theirs(image: torch.Tensor, moved: list[list[float]]) -> torch.Tensor:
        nearest = oracle.InterpolationMode.NEAREST
        return oracle.perspective(image, own.tolist(), moved, interpolation=nearest, fill=0)

    ours = batch.perspective(images, corners)
    assert differing(ours, per_image(images, corners, theirs)) < HALF
    assert torch.equal(ours[0], images[0])
    assert torch.isfinite(batch.perspective(images, torch.full((6, 4, 2), size / 2))).all(), "all corners in one point"


def test_shift_takes_the_same_pixels() -> None:
    images, moves = pictures(), torch.tensor([[0, 0], [3, -2], [-5, 1], [1, 0], [0, -7], [25, 0]])
    theirs = [
        oracle.affine(image, angle=0.0, translate=[right, down], scale=1.0, shear=[0.0, 0.0])
        for image, (down, right) in zip(images, moves.tolist(), strict=True)
    ]
    assert torch.equal(batch.shift(images, moves), torch.stack(theirs))


def test_a_crop_after_padding_takes_the_same_pixels() -> None:
    images, moves = pictures(), torch.tensor([[0, 0], [4, -4], [-3, 2], [1, 0], [0, -4], [-4, -4]])
    for border, ours in (("reflect", batch.crop_reflected(images, moves)), ("constant", batch.shift(images, -moves))):
        for image, (down, right), crop in zip(images, moves.tolist(), ours, strict=True):
            padded = oracle.pad(image, [4, 4, 4, 4], padding_mode=border)
            assert torch.equal(crop, oracle.crop(padded, 4 + down, 4 + right, 20, 20))


def test_flips_take_the_same_pixels() -> None:
    images = pictures()
    for ours, flip in (
        (batch.flip_left_right(images, FLIPPED), oracle.horizontal_flip),
        (batch.flip_top_bottom(images, FLIPPED), oracle.vertical_flip),
    ):
        assert torch.equal(
            ours, per_image(images, FLIPPED, lambda image, yes, flip=flip: flip(image) if yes else image)
        )
