"""Augmentations that take parts of an image away, or mix two images and their labels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cnn_core.data.augmentation.base import Augmentation, Mixing
from cnn_core.spec import option

if TYPE_CHECKING:
    from torch import Generator, Tensor


class Erasing(Augmentation):
    kind = "erasing"
    title = "Erasing"
    help = "Black out a box of any size and shape in some images (Zhong et al., 2017). Teaches to use every part."

    probability: float = option(0.5, "Fraction of images that lose a box.", ge=0, le=1, strong=1.0)
    area: float = option(0.3, "Largest box, as a fraction of the image; the smallest is 2%.", ge=0, le=1, strong=0.6)

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        from cnn_core.data.augmentation import batch_boxes as batch
        from cnn_core.data.augmentation import batch_draws

        area = batch_draws.between(images, min(0.02, self.area), self.area, generator)
        ratio = batch_draws.between(images, math.log(0.3), math.log(3.3), generator).exp()
        box = batch.box_of_area(images, area, ratio, batch_draws.uniform(images, generator, 2))
        return batch.erase(images, box * batch_draws.chance(images, self.probability, generator)[:, None])


class Cutout(Augmentation):
    kind = "cutout"
    title = "Cutout"
    help = "Black out a square at a random place (DeVries and Taylor, 2017). Teaches to use the whole image."

    size: int = option(
        8,
        "Side of the square; as large as the image, it hides nearly everything.",
        ge=0,
        le=256,
        unit="px",
        strong=0.75,
    )

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        from cnn_core.data.augmentation import batch_boxes as batch
        from cnn_core.data.augmentation import batch_draws

        return batch.erase(images, batch.square(batch_draws.places(images, generator), self.size))


class MixUp(Mixing):
    kind = "mixup"
    title = "MixUp"
    help = "Lay a second image over each, and mix the labels in the same fractions (Zhang et al., 2017)."

    alpha: float = option(
        0.2,
        "Fractions are drawn from Beta(alpha, alpha): small leaves most images nearly alone, 1 is any fraction.",
        ge=0.05,
        le=8,
    )

    def mix(self, images: Tensor, generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
        from cnn_core.data.augmentation import batch_boxes as batch
        from cnn_core.data.augmentation import batch_draws

        other, share = batch_draws.order(images, generator), batch_draws.beta(images, self.alpha, generator)
        return batch.mix_up(images, images.index_select(0, other), share), other, share


class CutMix(Mixing):
    kind = "cutmix"
    title = "CutMix"
    help = "Paste a box of a second image into each, and mix the labels by area (Yun et al., 2019)."

    alpha: float = option(
        1.0,
        "Fractions are drawn from Beta(alpha, alpha): small gives tiny or huge boxes, 1 any size.",
        ge=0.05,
        le=8,
    )

    def mix(self, images: Tensor, generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
        from cnn_core.data.augmentation import batch_boxes as batch
        from cnn_core.data.augmentation import batch_draws

        other, share = batch_draws.order(images, generator), batch_draws.beta(images, self.alpha, generator)
        box = batch.box_for_fraction(images, share, batch_draws.places(images, generator))
        mixed, share = batch.cut_mix(images, images.index_select(0, other), box)
        return mixed, other, share


KINDS: tuple[type[Augmentation], ...] = (Erasing, Cutout, MixUp, CutMix)
