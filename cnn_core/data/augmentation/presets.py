"""Augmentations to start from, each for a kind of image. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnn_core.recipe import AugmentSpec
from cnn_core.registry import Registry


@dataclass(frozen=True)
class AugmentPreset:
    """Named steps, and one sentence on why these."""

    name: str
    title: str
    why: str
    steps: tuple[AugmentSpec, ...]


augment_presets: Registry[AugmentPreset] = Registry("set of augmentations")


def _add(name: str, title: str, why: str, *steps: AugmentSpec) -> None:
    augment_presets.add(name, AugmentPreset(name, title, why, steps))


def _step(kind: str, **parameters: Any) -> AugmentSpec:
    return AugmentSpec(kind=kind, **parameters)


FLIP = _step("horizontal_flip", probability=0.5)

_add("none", "None", "Every image as it is: the fastest, and enough for short runs.")
_add("mild", "Mild", "One pixel to any side: true for all images.", _step("shift", pixels=1))
_add(
    "digits",
    "Digits and letters",
    "Written a little elsewhere, turned and slanted; never mirrored, as that makes other letters.",
    _step("rotation", degrees=10.0),
    _step("shear", degrees=8.0),
    _step("shift", pixels=1),
)
_add(
    "clothes",
    "Clothes",
    "A shirt is the same from the other side, and a little to the left.",
    FLIP,
    _step("shift", pixels=1),
)
_add(
    "photographs",
    "Photographs",
    "Things face either way and stand anywhere, in any light, and partly behind others.",
    FLIP,
    _step("random_crop", padding=4, border="mirror"),
    _step("colour_jitter", brightness=0.2, contrast=0.2, saturation=0.2, hue=0.02),
    _step("erasing", probability=0.3, area=0.2),
)
_add(
    "satellite",
    "Satellite images",
    "From above there is no up: any turn and mirror image is as true, and the haze changes.",
    FLIP,
    _step("vertical_flip", probability=0.5),
    _step("rotation", degrees=180.0),
    _step("colour_jitter", brightness=0.1, contrast=0.2, saturation=0.2, hue=0.02),
)
_add(
    "tutorial",
    "As in tutorials",
    "What most first tutorials use: mirrored half the time, turned by up to 15°, brightness and contrast ± 10%.",
    FLIP,
    _step("rotation", degrees=15.0),
    _step("colour_jitter", brightness=0.1, contrast=0.1, saturation=0.0, hue=0.0),
)
_add(
    "policy",
    "Random policy",
    "Two random operations an image at one strength: a good guess without choosing.",
    FLIP,
    _step("policy", strength=0.3, operations=2),
)
_add(
    "mixed",
    "Mixed images",
    "Two images in one, and both labels: helps long runs with few images.",
    FLIP,
    _step("cutmix", alpha=1.0),
)
