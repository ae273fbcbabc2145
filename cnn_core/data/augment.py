"""Augmentations: typed, registered, and functions on a whole batch in which each image has its own draw.

The same code draws the previews in the page and runs in training. Importing this module does not load torch:
a form needs only the fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from cnn_core.errors import PlaygroundError, RecipeError
from cnn_core.recipe import AugmentSpec, Spec, option, parse
from cnn_core.registry import Registry

if TYPE_CHECKING:
    from torch import Generator, Tensor


class Augmentation(Spec):
    """One kind of random change. `images` is (N, C, H, W), uint8 0..255 or float 0..1, and comes back in either.

    Geometry keeps the dtype; changes of colour give float32 0..1. Pixels from outside the image are 0 (black).
    """

    kind: ClassVar[str]
    title: ClassVar[str]
    help: ClassVar[str]

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        raise NotImplementedError


class HorizontalFlip(Augmentation):
    kind = "horizontal_flip"
    title = "Horizontal flip"
    help = "Mirror left and right. Right for clothes and animals, wrong for digits and letters."

    probability: float = option(0.5, "Share of images that are mirrored.", ge=0, le=1)

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        from cnn_core.data import augment_batch as batch

        return batch.flip_left_right(images, batch.chance(images, self.probability, generator))


class Shift(Augmentation):
    kind = "shift"
    title = "Shift"
    help = "Move the picture by whole pixels. Teaches that place does not matter."

    pixels: int = option(1, "Largest move in each direction.", ge=0, le=64, unit="px")

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        from cnn_core.data import augment_batch as batch

        return batch.shift(images, batch.whole_numbers(images, self.pixels, 2, generator))


class Rotation(Augmentation):
    kind = "rotation"
    title = "Rotation"
    help = "Turn the picture about its centre. A turned 6 is a 9: keep it small for digits."

    degrees: float = option(15.0, "Largest turn to either side.", ge=0, le=180, unit="°")

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        from cnn_core.data import augment_batch as batch

        return batch.rotate(images, batch.between(images, -self.degrees, self.degrees, generator))


class BrightnessContrast(Augmentation):
    kind = "brightness_contrast"
    title = "Brightness and contrast"
    help = "Lighter, darker, flatter, harder. Teaches that lighting does not matter."

    brightness: float = option(0.1, "Brightness is multiplied by up to 1 ± this.", ge=0, le=1)
    contrast: float = option(0.1, "Contrast is multiplied by up to 1 ± this.", ge=0, le=1)

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        from cnn_core.data import augment_batch as batch

        images = batch.brighten(images, batch.factors(images, self.brightness, generator))
        return batch.contrast(images, batch.factors(images, self.contrast, generator))


class ColourJitter(Augmentation):
    kind = "colour_jitter"
    title = "Colour jitter"
    help = "Brightness, contrast, saturation and hue, in this order. Greyscale images have neither saturation nor hue."

    brightness: float = option(0.1, "Brightness is multiplied by up to 1 ± this.", ge=0, le=1)
    contrast: float = option(0.1, "Contrast is multiplied by up to 1 ± this.", ge=0, le=1)
    saturation: float = option(0.1, "Saturation is multiplied by up to 1 ± this; 0 is grey.", ge=0, le=1)
    hue: float = option(0.02, "Hue is turned by up to this share of the colour circle.", ge=0, le=0.5)

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        from cnn_core.data import augment_batch as batch

        images = batch.brighten(images, batch.factors(images, self.brightness, generator))
        images = batch.contrast(images, batch.factors(images, self.contrast, generator))
        images = batch.saturate(images, batch.factors(images, self.saturation, generator))
        return batch.turn_hue(images, batch.between(images, -self.hue, self.hue, generator))


class Cutout(Augmentation):
    kind = "cutout"
    title = "Cutout"
    help = "Black out a square at a random place (DeVries and Taylor, 2017). Teaches to use the whole picture."

    size: int = option(8, "Side of the square; as large as the image, it hides everything.", ge=0, le=128, unit="px")

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        from cnn_core.data import augment_batch as batch

        return batch.cut_out(images, batch.places(images, generator), self.size)


augmentations: Registry[type[Augmentation]] = Registry("augmentation")
for _kind in (HorizontalFlip, Shift, Rotation, BrightnessContrast, ColourJitter, Cutout):
    augmentations.add(_kind.kind, _kind)

augment_presets: dict[str, tuple[AugmentSpec, ...]] = {
    "none": (),
    "mild": (AugmentSpec(kind="shift", pixels=1),),
    "clothes": (AugmentSpec(kind="horizontal_flip", probability=0.5),),
    "tutorial": (
        AugmentSpec(kind="horizontal_flip", probability=0.5),
        AugmentSpec(kind="rotation", degrees=15),
        AugmentSpec(kind="brightness_contrast", brightness=0.1, contrast=0.1),
    ),
}


def read_steps(specs: Sequence[AugmentSpec]) -> list[Augmentation]:
    """The typed steps. Raises RecipeError naming the step, its field and what would be valid."""
    steps = []
    for number, spec in enumerate(specs, start=1):
        try:
            steps.append(parse(augmentations.get(spec.kind), spec.parameters, f"{spec.kind}"))
        except PlaygroundError as error:
            raise RecipeError(f"Augmentation {number}: {error}") from None
    return steps


def augment(images: Tensor, steps: Sequence[Augmentation], generator: Generator) -> Tensor:
    """Apply the steps in order to uint8 or float images (N, C, H, W). Returns float32 in 0..1."""
    from cnn_core.data.augment_batch import to_float

    for step in steps:
        images = step.apply(images, generator)
    return to_float(images)
