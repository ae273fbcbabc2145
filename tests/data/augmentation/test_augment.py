"""The contract of every augmentation, the steps of a recipe, and presets."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from cnn_core.data.augmentation.presets import AugmentPreset, augment_presets
from cnn_core.data.augmentation.preview import draws, stages
from cnn_core.data.augmentation.steps import Augmentation, augment, augmentations, read_steps
from cnn_core.data.catalogue.library import open_dataset
from cnn_core.data.feed.batches import Batches
from cnn_core.errors import RecipeError
from cnn_core.recipe import AugmentSpec
from cnn_core.spec import noted
from tests.data.augmentation.augmented import pictures

MIXING = {"mixup": {"alpha": 1.0}, "cutmix": {"alpha": 1.0}}  # have no scale of strength


def strong(kind: type[Augmentation], side: int = 20) -> Augmentation:
    """As strong as is of use in a test: half of full strength, flips and the like too."""
    return kind(**MIXING[kind.kind]) if kind.kind in MIXING else kind.at_strength(0.5, side)


def draw(kind: type[Augmentation], images: Tensor, seed: int) -> Tensor:
    labels = torch.arange(len(images)) % 3
    return augment(images, labels, 3, [strong(kind)], torch.Generator().manual_seed(seed))[0]


@pytest.mark.parametrize("kind", list(augmentations), ids=augmentations.names())
class TestEvery:
    @pytest.mark.parametrize("channels", [1, 3])
    @pytest.mark.parametrize("size", [8, 20])
    def test_gives_images_of_the_same_shape(self, kind: type[Augmentation], channels: int, size: int) -> None:
        images = (pictures(channels=channels, size=size) * 255).byte()
        before = images.clone()
        after = draw(kind, images, 0)
        assert after.shape == images.shape
        assert after.dtype in (torch.uint8, torch.float32)
        assert 0 <= after.min() <= after.max() <= (255 if after.dtype == torch.uint8 else 1)
        assert torch.equal(images, before), "the input was changed"

    def test_same_seed_same_draws_and_another_seed_others(self, kind: type[Augmentation]) -> None:
        images = (pictures(16) * 255).byte()
        assert torch.equal(draw(kind, images, 5), draw(kind, images, 5))
        assert not torch.equal(draw(kind, images, 5), draw(kind, images, 6))

    def test_each_image_has_its_own_draw(self, kind: type[Augmentation]) -> None:
        same = (pictures(1) * 255).byte().repeat(32, 1, 1, 1)
        same[1::2] = same[1::2].roll(5, dims=2)  # mixing an image with itself leaves it as it is
        results = draw(kind, same, 3)
        assert len({result.numpy().tobytes() for result in results}) > 2

    def test_takes_a_batch_of_one(self, kind: type[Augmentation]) -> None:
        assert draw(kind, pictures(1), 0).shape == (1, 3, 20, 20)

    def test_has_words_and_ranges(self, kind: type[Augmentation]) -> None:
        assert kind.title
        assert kind.help
        for name, field in kind.model_fields.items():
            assert field.description, name
            assert field.metadata or "Literal" in str(field.annotation), f"{name} has no range"
        assert read_steps([AugmentSpec(kind=kind.kind)]) == [kind()]

    @pytest.mark.parametrize("side", [8, 28, 256])
    def test_is_valid_at_every_strength_and_does_nothing_at_none(self, kind: type[Augmentation], side: int) -> None:
        if kind.kind in MIXING:
            return
        assert any(noted(field, "strong") is not None for field in kind.model_fields.values())
        steps = [kind.at_strength(share, side) for share in (0.25, 0.5, 1.0)]
        assert steps[0] != steps[1] != steps[2]
        images = pictures(7)
        after = kind.at_strength(0.0, side).apply(images, torch.Generator())
        assert torch.allclose(after, images, atol=1e-5)

    def test_grey_images_have_no_colour_to_change(self, kind: type[Augmentation]) -> None:
        if kind.needs_colour:
            images = pictures(channels=1)
            assert torch.equal(draw(kind, images, 0), images)


def test_steps_run_in_order() -> None:
    images, labels = pictures(), torch.zeros(6, dtype=torch.long)
    steps = read_steps([AugmentSpec(kind="colour_jitter"), AugmentSpec(kind="cutout", size=40)])
    assert augment(images, labels, 1, steps, torch.Generator())[0].abs().max() == 0


def test_colour_jitter_leaves_out_what_is_zero() -> None:
    """So the tutorial's jitter costs and draws what brightness and contrast do."""
    images = pictures()
    jitter, brightness, contrast = read_steps(
        [
            AugmentSpec(kind="colour_jitter", brightness=0.1, contrast=0.1, saturation=0, hue=0),
            AugmentSpec(kind="brightness", amount=0.1),
            AugmentSpec(kind="contrast", amount=0.1),
        ]
    )
    first, second = (torch.Generator().manual_seed(3) for _ in range(2))
    assert torch.equal(jitter.apply(images, first), contrast.apply(brightness.apply(images, second), second))


class TestPolicy:
    @pytest.mark.parametrize("count", [1, 5, 8, 30])
    def test_every_kind_of_operation_comes_to_every_image(self, count: int) -> None:
        policy, images, changed = read_steps([AugmentSpec(kind="policy", operations=1)])[0], pictures(count), []
        for seed in range(40):
            after = policy.apply(images, torch.Generator().manual_seed(seed))
            changed.append((after != images).flatten(1).any(1))
        share = torch.stack(changed).float().mean(0)
        assert ((share > 0.55) & (share < 1)).all(), "one in nine is left alone, and few draws change nothing"

    def test_more_strength_and_more_operations_change_more(self) -> None:
        images = pictures(64)

        def change(**parameters: float) -> float:
            policy = read_steps([AugmentSpec(kind="policy", **parameters)])[0]
            return (policy.apply(images, torch.Generator().manual_seed(0)) - images).abs().mean().item()

        assert change(strength=0.0) < 1e-5
        assert change(strength=0.1) < change(strength=0.5) < change(strength=1.0)
        assert change(operations=1) < change(operations=4)


class TestPreview:
    def test_shows_the_draws_of_the_first_batch_of_each_epoch(self) -> None:
        images, labels = (pictures(4) * 255).byte().numpy(), torch.arange(4).numpy()
        steps = read_steps(augment_presets.get("photographs").steps)
        shown, fractions = draws(images, labels, 4, steps, seed=3, epochs=3)
        assert shown.shape == (3, 4, 3, 20, 20)
        assert fractions is None
        assert (shown == draws(images, labels, 4, steps, seed=3, epochs=3)[0]).all()
        assert (shown[:2] != shown[1:]).any(axis=(2, 3, 4)).all()
        assert (stages(images, steps, seed=3, epoch=1)[-1] == shown[1]).all()

    def test_is_what_training_gets(self, home: Path) -> None:
        """The first batch of each epoch of a run with the same seed; only its order is left out."""
        digits = open_dataset("digits")
        steps = read_steps([*augment_presets.get("photographs").steps, AugmentSpec(kind="mixup", alpha=1.0)])
        chosen = digits.splits["train"][:8]
        shown, fractions = draws(np.asarray(digits.images[chosen]), digits.labels[chosen], 10, steps, seed=3, epochs=2)
        batches = Batches(digits, "train", 8, seed=3, augment=steps)
        assert fractions is not None
        for epoch in range(2):
            images, labels = next(batches.epoch(epoch))
            rounded = torch.from_numpy(shown[epoch]).float()
            assert torch.allclose(images * 255, rounded, atol=0.501)
            assert torch.equal(labels, torch.from_numpy(fractions[epoch]))

    def test_gives_the_shares_of_mixed_images(self) -> None:
        images, labels = (pictures(4) * 255).byte().numpy(), torch.arange(4).numpy()
        _, fractions = draws(images, labels, 4, read_steps([AugmentSpec(kind="cutmix")]), seed=0, epochs=2)
        assert fractions is not None
        assert fractions.shape == (2, 4, 4)
        assert fractions.sum(2) == pytest.approx(1)

    def test_starts_with_the_image_itself(self) -> None:
        images = (pictures(2) * 255).byte().numpy()
        assert (stages(images, [], seed=0) == images[None]).all()


@pytest.mark.parametrize("preset", list(augment_presets), ids=augment_presets.names())
def test_presets_are_valid_and_say_why(preset: AugmentPreset) -> None:
    assert [step.model_dump() for step in read_steps(preset.steps)] == [step.parameters for step in preset.steps]
    assert preset.title
    assert preset.why.endswith(".")


def test_the_tutorial_preset_is_that_of_the_tutorials() -> None:
    said = [(step.kind, step.parameters) for step in augment_presets.get("tutorial").steps]
    assert said == [
        ("horizontal_flip", {"probability": 0.5}),
        ("rotation", {"degrees": 15}),
        ("colour_jitter", {"brightness": 0.1, "contrast": 0.1, "saturation": 0, "hue": 0}),
    ]


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
