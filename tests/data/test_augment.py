"""Each augmentation against torchvision's operation on one image with the same parameters."""

import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as oracle

from cnn_core.data import augment_batch as batch
from cnn_core.data.augment import Augmentation, augment, augment_presets, augmentations, read_steps
from cnn_core.errors import RecipeError
from cnn_core.recipe import AugmentSpec

ROUNDING = 5e-6  # float32 arithmetic in another order


def pictures(count: int = 6, channels: int = 3, size: int = 20) -> Tensor:
    return torch.rand(count, channels, size, size, generator=torch.Generator().manual_seed(1))


def per_image(images: Tensor, values: Tensor, function) -> Tensor:
    return torch.stack([function(image, value) for image, value in zip(images, values.tolist(), strict=True)])


@pytest.mark.parametrize("channels", [1, 3])
def test_brightness_contrast_saturation_hue(channels: int) -> None:
    images, factors = pictures(channels=channels), torch.tensor([0.0, 0.5, 0.9, 1.0, 1.3, 2.0])
    turns = torch.tensor([-0.5, -0.2, 0.0, 0.01, 0.3, 0.5])
    for ours, theirs in (
        (batch.brighten(images, factors), per_image(images, factors, oracle.adjust_brightness)),
        (batch.contrast(images, factors), per_image(images, factors, oracle.adjust_contrast)),
        (batch.saturate(images, factors), per_image(images, factors, oracle.adjust_saturation)),
        (batch.turn_hue(images, turns), per_image(images, turns, oracle.adjust_hue)),
    ):
        assert torch.allclose(ours, theirs, atol=ROUNDING)


@pytest.mark.parametrize("size", [20, 27])
def test_rotation_takes_the_same_pixels(size: int) -> None:
    images, degrees = pictures(size=size), torch.tensor([-90.0, -15.0, 0.0, 3.3, 45.0, 180.0])
    wrong = (batch.rotate(images, degrees) != per_image(images, degrees, oracle.rotate)).float().mean()
    assert wrong < 0.005  # a source coordinate of exactly half a pixel may round to either side


def test_shift_takes_the_same_pixels() -> None:
    images, moves = pictures(), torch.tensor([[0, 0], [3, -2], [-5, 1], [1, 0], [0, -7], [25, 0]])
    theirs = [
        oracle.affine(image, angle=0.0, translate=[right, down], scale=1.0, shear=[0.0, 0.0])
        for image, (down, right) in zip(images, moves.tolist(), strict=True)
    ]
    assert torch.equal(batch.shift(images, moves), torch.stack(theirs))


def test_flip_takes_the_same_pixels() -> None:
    images, flipped = pictures(), torch.tensor([True, False, True, True, False, False])
    theirs = per_image(images, flipped, lambda image, flip: oracle.horizontal_flip(image) if flip else image)
    assert torch.equal(batch.flip_left_right(images, flipped), theirs)


def test_cutout_erases_the_same_square() -> None:
    images, centres = pictures(), torch.tensor([[0, 0], [10, 10], [19, 19], [3, 16], [5, 5], [19, 0]])
    for image, (row, column), ours in zip(images, centres.tolist(), batch.cut_out(images, centres, 6), strict=True):
        top, left = max(0, row - 3), max(0, column - 3)
        theirs = oracle.erase(image, top, left, row + 3 - top, column + 3 - left, torch.tensor(0.0))
        assert torch.equal(ours, theirs)


# The contract of every augmentation

STRONG = {
    "horizontal_flip": {"probability": 0.5}, "shift": {"pixels": 4}, "rotation": {"degrees": 40},
    "brightness_contrast": {"brightness": 0.5, "contrast": 0.5}, "cutout": {"size": 8},
    "colour_jitter": {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.2},
}  # fmt: skip


def draw(kind: type[Augmentation], images: Tensor, seed: int) -> Tensor:
    return augment(images, [kind(**STRONG[kind.kind])], torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kind", list(augmentations), ids=augmentations.names())
class TestEvery:
    @pytest.mark.parametrize("channels", [1, 3])
    def test_gives_float_pictures_of_the_same_shape(self, kind: type[Augmentation], channels: int) -> None:
        images = (pictures(channels=channels) * 255).byte()
        before = images.clone()
        after = draw(kind, images, 0)
        assert after.shape == images.shape
        assert after.dtype == torch.float32
        assert 0 <= after.min() <= after.max() <= 1
        assert torch.equal(images, before), "the input was changed"

    def test_same_seed_same_draws_and_another_seed_others(self, kind: type[Augmentation]) -> None:
        images = (pictures(16) * 255).byte()
        assert torch.equal(draw(kind, images, 5), draw(kind, images, 5))
        assert not torch.equal(draw(kind, images, 5), draw(kind, images, 6))

    def test_each_image_has_its_own_draw(self, kind: type[Augmentation]) -> None:
        same = (pictures(1) * 255).byte().expand(32, -1, -1, -1)
        results = draw(kind, same, 3)
        assert len({result.numpy().tobytes() for result in results}) > 1

    def test_has_words_and_ranges(self, kind: type[Augmentation]) -> None:
        assert kind.title
        assert kind.help
        for name, field in kind.model_fields.items():
            assert field.description, name
            assert field.metadata, f"{name} has no range"
        assert read_steps([AugmentSpec(kind=kind.kind)]) == [kind()]


def test_steps_run_in_order() -> None:
    images = pictures()
    steps = read_steps([AugmentSpec(kind="brightness_contrast"), AugmentSpec(kind="cutout", size=40)])
    assert augment(images, steps, torch.Generator()).abs().max() == 0


@pytest.mark.parametrize("name", list(augment_presets))
def test_presets_are_valid(name: str) -> None:
    assert len(read_steps(augment_presets[name])) == len(augment_presets[name])


@pytest.mark.parametrize(
    ("spec", "part"),
    [
        (
            AugmentSpec(kind="rotate"),
            "Augmentation 1: There is no augmentation called 'rotate'. Did you mean rotation?",
        ),
        (AugmentSpec(kind="shift", pixels=-1), "shift pixels: input should be greater than or equal to 0"),
        (AugmentSpec(kind="shift", far=1), "shift far is not a known field. Known: pixels"),
    ],
)
def test_a_wrong_step_is_a_sentence(spec: AugmentSpec, part: str) -> None:
    with pytest.raises(RecipeError) as caught:
        read_steps([spec])
    assert part in str(caught.value)
