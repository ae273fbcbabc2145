"""What an augmentation is, and the registry of them. Needs no torch: a form needs only the fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from cnn_core.registry import Registry
from cnn_core.spec import Spec, noted

if TYPE_CHECKING:
    from torch import Generator, Tensor


class Augmentation(Spec):
    """One kind of random change. `images` is (N, C, H, W), uint8 0..255 or float 0..1, and comes back in either.

    Every image has its own draw, and all draws come from the generator. Geometry keeps the dtype; changes of colour
    give float32 0..1. Pixels from outside the image are 0 (black).
    """

    kind: ClassVar[str]
    title: ClassVar[str]
    help: ClassVar[str]
    needs_colour: ClassVar[bool] = False  # greyscale images come out as they are
    in_policy: ClassVar[float] = 0.0  # share of full strength that a random policy goes up to; 0: never takes it

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        raise NotImplementedError

    @classmethod
    def at_strength(cls, share: float, side: int) -> Self:
        """This kind at a share (0..1) of full strength on images of `side` pixels; 0 leaves images as they are.

        Full strength is noted on each field (`strong`), for a field in pixels as a share of the side.
        """
        values: dict[str, Any] = {}
        for name, field in cls.model_fields.items():
            strong = noted(field, "strong")
            if strong is not None:
                value = share * strong * (side if noted(field, "unit") == "px" else 1)
                values[name] = round(value) if field.annotation is int else value
        return cls(**values)


class Mixing(Augmentation):
    """A change that takes in another image of the batch, and with it a share of that image's label."""

    def mix(self, images: Tensor, generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Mixed images, int64 (N,) which image was mixed in, and float32 (N,) the share that is left of its own."""
        raise NotImplementedError

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        return self.mix(images, generator)[0]


augmentations: Registry[type[Augmentation]] = Registry("augmentation")
