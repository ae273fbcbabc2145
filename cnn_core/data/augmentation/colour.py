"""Augmentations that change light, colour and sharpness."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnn_core.data.augmentation.base import Augmentation
from cnn_core.spec import option

if TYPE_CHECKING:
    from torch import Generator, Tensor


class ColourJitter(Augmentation):
    kind = "colour_jitter"
    title = "Colour jitter"
    help = "Brightness, contrast, saturation and hue, in this order. What is 0 is left out."

    brightness: float = option(0.1, "Brightness is multiplied by up to 1 ± this.", ge=0, le=1, strong=1.0)
    contrast: float = option(0.1, "Contrast is multiplied by up to 1 ± this.", ge=0, le=1, strong=1.0)
    saturation: float = option(
        0.1, "Saturation is multiplied by up to 1 ± this; 0 is grey.", ge=0, le=1, strong=1.0, needs="channels=3"
    )
    hue: float = option(
        0.02, "Hue is turned by up to this fraction of the colour circle.", ge=0, le=0.5, strong=0.5, needs="channels=3"
    )

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        from cnn_core.data.augmentation import batch_colour as batch
        from cnn_core.data.augmentation import batch_draws

        if self.brightness:
            images = batch.brighten(images, batch_draws.factors(images, self.brightness, generator))
        if self.contrast:
            images = batch.contrast(images, batch_draws.factors(images, self.contrast, generator))
        if self.saturation:
            images = batch.saturate(images, batch_draws.factors(images, self.saturation, generator))
        if self.hue:
            images = batch.turn_hue(images, batch_draws.between(images, -self.hue, self.hue, generator))
        return images


class Brightness(Augmentation):
    kind = "brightness"
    title = "Brightness"
    help = "Lighter or darker. Teaches that the light does not matter."
    in_policy = 0.9

    amount: float = option(0.2, "Brightness is multiplied by up to 1 ± this; 0 is black.", ge=0, le=1, strong=1.0)

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        from cnn_core.data.augmentation import batch_colour as batch
        from cnn_core.data.augmentation import batch_draws

        return batch.brighten(images, batch_draws.factors(images, self.amount, generator))


class Contrast(Augmentation):
    kind = "contrast"
    title = "Contrast"
    help = "Flatter or harder, about the mean grey of each image, like fog and bright sun."
    in_policy = 0.9

    amount: float = option(0.2, "Contrast is multiplied by up to 1 ± this; 0 is even grey.", ge=0, le=1, strong=1.0)

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        from cnn_core.data.augmentation import batch_colour as batch
        from cnn_core.data.augmentation import batch_draws

        return batch.contrast(images, batch_draws.factors(images, self.amount, generator))


class Saturation(Augmentation):
    kind = "saturation"
    title = "Saturation"
    help = "Paler or more vivid. Greyscale images stay as they are."
    needs_colour = True
    in_policy = 0.9

    amount: float = option(0.2, "Saturation is multiplied by up to 1 ± this; 0 is grey.", ge=0, le=1, strong=1.0)

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        from cnn_core.data.augmentation import batch_colour as batch
        from cnn_core.data.augmentation import batch_draws

        return batch.saturate(images, batch_draws.factors(images, self.amount, generator))


class Hue(Augmentation):
    kind = "hue"
    title = "Hue"
    help = "Other colours. A little is other light; a lot is wrong where colour matters, as for ripe fruit."
    needs_colour = True

    turn: float = option(0.05, "Largest turn, as a fraction of the colour circle.", ge=0, le=0.5, strong=0.5)

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        from cnn_core.data.augmentation import batch_colour as batch
        from cnn_core.data.augmentation import batch_draws

        return batch.turn_hue(images, batch_draws.between(images, -self.turn, self.turn, generator))


class Greyscale(Augmentation):
    kind = "greyscale"
    title = "Greyscale"
    help = "Take all colour away from some images, so that shape has to do."
    needs_colour = True

    probability: float = option(0.2, "Fraction of images without colour.", ge=0, le=1, strong=1.0)

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        from cnn_core.data.augmentation import batch_colour as batch
        from cnn_core.data.augmentation import batch_draws

        coloured = ~batch_draws.chance(images, self.probability, generator)
        return batch.saturate(images, coloured.float())


class Invert(Augmentation):
    kind = "invert"
    title = "Invert"
    help = "Swap light and dark in some images, like ink on paper and chalk on a board."

    probability: float = option(0.2, "Fraction of images that are inverted.", ge=0, le=1, strong=1.0)

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        from cnn_core.data.augmentation import batch_colour as batch
        from cnn_core.data.augmentation import batch_draws

        return batch.invert(images, batch_draws.chance(images, self.probability, generator))


class Blur(Augmentation):
    kind = "blur"
    title = "Blur"
    help = "Out of focus. Teaches to use large shapes; too much leaves nothing to see."

    sigma: float = option(
        0.5, "Largest width of the blur (standard deviation of the Gaussian).", ge=0, le=32, unit="px", strong=0.1
    )

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        from cnn_core.data.augmentation import batch_colour as batch
        from cnn_core.data.augmentation import batch_draws

        radius = min(round(3 * self.sigma + 0.5), min(images.shape[2:]) - 1)  # 99.7% of the Gaussian
        return batch.blur(images, batch_draws.between(images, 0.0, self.sigma, generator), radius)


class Sharpness(Augmentation):
    kind = "sharpness"
    title = "Sharpness"
    help = "Softer or crisper than the image is."
    in_policy = 0.9

    amount: float = option(0.5, "Sharpness is multiplied by up to 1 ± this; 0 is soft.", ge=0, le=1, strong=1.0)

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        from cnn_core.data.augmentation import batch_colour as batch
        from cnn_core.data.augmentation import batch_draws

        return batch.sharpen(images, batch_draws.factors(images, self.amount, generator))


class Noise(Augmentation):
    kind = "noise"
    title = "Noise"
    help = "Grain, as in a photograph taken in the dark: every pixel is moved by a draw of its own."

    deviation: float = option(0.05, "Largest standard deviation of the grain; white is 1.", ge=0, le=1, strong=0.5)

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        import torch

        from cnn_core.data.augmentation import batch_colour as batch
        from cnn_core.data.augmentation import batch_draws

        deviation = batch_draws.between(images, 0.0, self.deviation, generator)
        noise = torch.randn(images.shape, generator=generator, device=images.device)
        return batch.add_noise(images, noise, deviation)


KINDS: tuple[type[Augmentation], ...] = (
    ColourJitter,
    Brightness,
    Contrast,
    Saturation,
    Hue,
    Greyscale,
    Invert,
    Blur,
    Sharpness,
    Noise,
)
