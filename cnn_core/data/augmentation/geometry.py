"""Augmentations that move pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from cnn_core.data.augmentation.base import Augmentation
from cnn_core.spec import option

if TYPE_CHECKING:
    from torch import Generator, Tensor


class HorizontalFlip(Augmentation):
    kind = "horizontal_flip"
    title = "Horizontal flip"
    help = "Mirror left and right. Right for clothes and animals, wrong for digits and letters."

    probability: float = option(0.5, "Fraction of images that are mirrored.", ge=0, le=1, strong=1.0)

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        from cnn_core.data.augmentation import batch_draws
        from cnn_core.data.augmentation import batch_geometry as batch

        return batch.flip_left_right(images, batch_draws.chance(images, self.probability, generator))


class VerticalFlip(Augmentation):
    kind = "vertical_flip"
    title = "Vertical flip"
    help = "Mirror top and bottom. Right for what is seen from above, wrong where down is down. It makes a W an M."

    probability: float = option(0.5, "Fraction of images that are mirrored.", ge=0, le=1, strong=1.0)

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        from cnn_core.data.augmentation import batch_draws
        from cnn_core.data.augmentation import batch_geometry as batch

        return batch.flip_top_bottom(images, batch_draws.chance(images, self.probability, generator))


class Shift(Augmentation):
    kind = "shift"
    title = "Shift"
    help = "Move the image by whole pixels; black comes in. Teaches that place does not matter."
    in_policy = 0.9

    pixels: int = option(1, "Largest move in each direction.", ge=0, le=128, unit="px", strong=0.5)

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        from cnn_core.data.augmentation import batch_draws
        from cnn_core.data.augmentation import batch_geometry as batch

        return batch.shift(images, batch_draws.whole_numbers(images, self.pixels, 2, generator))


class Rotation(Augmentation):
    kind = "rotation"
    title = "Rotation"
    help = "Turn the image about its centre. A turned 6 is a 9: keep it small for digits."
    in_policy = 1 / 6

    degrees: float = option(15.0, "Largest turn to either side.", ge=0, le=180, unit="°", strong=180.0)

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        from cnn_core.data.augmentation import batch_draws
        from cnn_core.data.augmentation import batch_geometry as batch

        return batch.rotate(images, batch_draws.between(images, -self.degrees, self.degrees, generator))


class Scale(Augmentation):
    kind = "scale"
    title = "Scale"
    help = "Nearer or farther, about the centre. Teaches that size does not matter; large values cut things off."

    amount: float = option(0.1, "Size is multiplied by up to 1 ± this.", ge=0, le=0.9, strong=0.8)

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        from cnn_core.data.augmentation import batch_draws
        from cnn_core.data.augmentation import batch_geometry as batch

        return batch.scale(images, batch_draws.factors(images, self.amount, generator))


class Shear(Augmentation):
    kind = "shear"
    title = "Shear"
    help = "Lean the image sideways and lengthways, like slanted handwriting."
    in_policy = 0.4

    degrees: float = option(10.0, "Largest angle in either direction.", ge=0, le=60, unit="°", strong=45.0)

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        from cnn_core.data.augmentation import batch_draws
        from cnn_core.data.augmentation import batch_geometry as batch

        across, down = (batch_draws.between(images, -self.degrees, self.degrees, generator) for _ in range(2))
        return batch.shear(images, across, down)


class Perspective(Augmentation):
    kind = "perspective"
    title = "Perspective"
    help = "Look from another side: each corner moves inwards by a draw of its own."

    distortion: float = option(
        0.3, "Farthest that a corner moves, as a fraction of half the side.", ge=0, le=0.9, strong=0.8
    )

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        from cnn_core.data.augmentation import batch_draws
        from cnn_core.data.augmentation import batch_geometry as batch

        height, width = images.shape[-2:]
        own = (0, 0, width, 0, width, height, 0, height)
        inwards = (1, 1, -1, 1, -1, -1, 1, -1)
        reach = tuple(sign * self.distortion * (width, height)[n % 2] / 2 for n, sign in enumerate(inwards))
        corners, moves = (batch_draws.constant(values, images.device).view(4, 2) for values in (own, reach))
        return batch.perspective(images, corners + moves * batch_draws.uniform(images, generator, 4, 2))


class RandomCrop(Augmentation):
    kind = "random_crop"
    title = "Random crop"
    help = "Pad the image on all sides and cut out its own size anywhere: a shift without black edges."

    padding: int = option(2, "Pixels added on each side.", ge=0, le=128, unit="px", strong=0.5)
    border: Literal["mirror", "black"] = option("mirror", "What is added: the image mirrored at its edge, or black.")

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        from cnn_core.data.augmentation import batch_draws
        from cnn_core.data.augmentation import batch_geometry as batch

        moves = batch_draws.whole_numbers(images, self.padding, 2, generator)
        return batch.crop_reflected(images, moves) if self.border == "mirror" else batch.shift(images, -moves)


KINDS: tuple[type[Augmentation], ...] = (
    HorizontalFlip,
    VerticalFlip,
    Rotation,
    Shift,
    Scale,
    Shear,
    Perspective,
    RandomCrop,
)
