"""The typed description of a run: data + augmentation + network + training + seed.

Every choice a person can make is one field here with its range, default and help. The form, the URL, the
JSON file, the run record and the diff of two runs are all made from these fields.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

from pydantic import Field, field_validator, model_serializer, model_validator
from pydantic.fields import FieldInfo

from cnn_core.recipe_json import read_json
from cnn_core.recipe_versions import VERSION, to_newest
from cnn_core.spec import Part, Spec, fields, option, parse
from cnn_core.starting_weights import FRESH, read_start


class LayerSpec(Part):
    """One layer of a network."""


class AugmentSpec(Part):
    """One augmentation step."""


class DataSpec(Spec):
    """What is learned from."""

    dataset: str = option("fashion_mnist_sample", "The images to learn from.")
    image_size: int = option(
        0,
        "Side of the square images in pixels; 0 keeps the data set's own size. Larger shows more and trains slower.",
        ge=0,
        le=256,
        advanced=True,
        unit="px",
    )
    validation_fraction: float = option(
        0.0,
        "Fraction of the images outside the test images kept for validation; 0 keeps the data set's own split. Too few "
        "leave the best epoch to luck, too many leave little to learn from.",
        ge=0,
        le=0.9,
        advanced=True,
    )


class LayerRate(Spec):
    """How fast a part of the network learns."""

    address: str = Field(description='Where it is: "3" is the layer at position 3, "9.conv1" a part of layer 9.')
    factor: float = Field(ge=0, le=100, description="The learning rate is multiplied by it; 0 freezes the part.")


class NetworkSpec(Spec):
    """What learns."""

    preset: str = option("compact_resnet", "The network to start from.")
    layers: tuple[LayerSpec, ...] = Field((), description="The layers, input first; empty means the preset's own.")
    start: str = option(
        FRESH,
        "The weights to begin with: fresh random ones, or those of an earlier run or of a packaged set where their "
        "shapes fit. What was learned on one task is a better start than chance on a similar one.",
    )
    rates: tuple[LayerRate, ...] = Field(
        (), description="Parts that learn slower, faster or not at all; of two that cover a part the longer one counts."
    )

    @field_validator("start")
    @classmethod
    def _names_weights(cls, start: str) -> str:
        return str(read_start(start))


class TrainingSpec(Spec):
    """How it learns."""

    epochs: int = option(10, "Passes over the training images. Too few underfits, too many wastes time.", ge=1, le=1000)
    batch_size: int = option(
        128,
        "Images per step. Small is noisy and slow, large is smooth and needs a larger learning rate.",
        ge=1,
        le=8192,
        log=True,
    )
    optimiser: Literal["sgd", "adam", "adamw", "rmsprop", "muon"] = option(
        "adam",
        "The rule that turns gradients into steps. Adam forgives, SGD often ends better. RMSprop is Adam without "
        "momentum. Muon makes the steps of convolution and linear weights orthogonal, so that all directions learn "
        "alike, and moves the rest by AdamW; it takes AdamW's learning rates.",
    )
    learning_rate: float = option(
        1e-3,
        "Size of a step. Too small learns nothing, too large jumps about or turns into NaN.",
        gt=0,
        le=10,
        log=True,
    )
    momentum: float = option(
        0.9,
        "Fraction of the last step that is kept. Higher is faster and less steady.",
        ge=0,
        lt=1,
        needs="optimiser=sgd",
        advanced=True,
    )
    nesterov: bool = option(
        True, "Look ahead along the momentum before taking the gradient.", needs="optimiser=sgd", advanced=True
    )
    weight_decay: float = option(
        0.0, "Pull of every weight towards zero. A little steadies, a lot underfits.", ge=0, le=1, advanced=True
    )
    gradient_clipping: float = option(
        0.0,
        "A gradient longer than this, over all weights together, is shortened to it: one odd batch then cannot ruin a "
        "run. 1 is usual; 0 never shortens.",
        ge=0,
        le=1000,
        advanced=True,
    )
    ema_decay: float = option(
        0.0,
        "Exponential moving average (EMA) of the weights: after each step the average keeps this fraction of itself, "
        "less in the first steps. Where it is on, the averaged weights, batch norm's statistics among them, are the "
        "ones that are validated, kept at each epoch and tested; they vary less. 0.99 to 0.999 is usual; 0 is off.",
        ge=0,
        lt=1,
        advanced=True,
    )
    schedule: Literal["constant", "step", "cosine", "one_cycle"] = option(
        "constant", "How the learning rate changes during the run."
    )
    step_epochs: int = option(
        5, "Epochs between two drops of the learning rate.", ge=1, le=1000, needs="schedule=step", advanced=True
    )
    step_factor: float = option(
        0.1, "What the learning rate is multiplied by at each drop.", gt=0, le=1, needs="schedule=step", advanced=True
    )
    warm_up: float = option(
        0.3,
        "Fraction of the run in which the learning rate rises.",
        gt=0,
        lt=1,
        needs="schedule=one_cycle",
        advanced=True,
    )
    label_smoothing: float = option(
        0.0,
        "Probability taken from the true class and spread over all classes. Keeps the network from overconfidence.",
        ge=0,
        le=0.5,
        advanced=True,
    )
    feature_bank: int = option(
        8,
        "Frozen first layers always give the same for an image, so their features are computed once, for so many "
        "augmented variants of each image, and each epoch takes one of them; without augmentation one is enough. More "
        "variants vary more and take longer to compute; 0 computes features anew at each step.",
        ge=0,
        le=64,
        advanced=True,
        unit="variants",
    )
    patience: int = option(
        0,
        "Stop after this many epochs without a better validation loss; 0 never stops early.",
        ge=0,
        le=1000,
        advanced=True,
        unit="epochs",
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = option(
        "auto", "Where to compute. Auto takes a CUDA GPU, then Apple's, then the CPU.", advanced=True
    )
    precision: Literal["auto", "float32", "bfloat16"] = option(
        "auto",
        "Number format of the arithmetic. Auto takes bfloat16, or TF32 on a GPU, where that is faster.",
        advanced=True,
    )
    layout: Literal["auto", "channels_last", "channels_first"] = option(
        "auto", "Order of a map's numbers in memory: changes the speed only. Auto measures.", advanced=True
    )
    pool_first: Literal["auto", "on", "off"] = option(
        "auto",
        "Pool before adding the bias and before the activation: the same result with less work. Auto measures.",
        advanced=True,
    )
    threads: int = option(
        0,
        "CPU threads; 0 measures. At most the cores this computer allows are used. The number changes the last digits "
        "of every sum: fix it to get the same weights on another computer.",
        ge=0,
        le=1024,
        advanced=True,
    )


class Recipe(Spec):
    """A run, described completely. On the CPU of one computer the same recipe and seed give the same weights."""

    data: DataSpec = DataSpec()
    augment: tuple[AugmentSpec, ...] = Field(
        (), description="Augmentation steps in order; applied to training images only."
    )
    network: NetworkSpec = NetworkSpec()
    training: TrainingSpec = TrainingSpec()
    seed: int = option(
        0,
        "Start of every random draw. The same recipe and seed give the same weights on the CPU of one computer, and on "
        "another's with equal threads, layout, precision, pooling, kind of processor and version of PyTorch. On a GPU "
        "the last digits may differ.",
        ge=0,
        le=2**31 - 1,
    )

    @model_validator(mode="before")
    @classmethod
    def _migrate(cls, values: Any) -> Any:
        return to_newest(values) if isinstance(values, dict) else values

    @model_serializer(mode="wrap")
    def _with_version(self, serialise: Callable[[Recipe], dict[str, Any]]) -> dict[str, Any]:
        return {"version": VERSION} | serialise(self)

    def to_json(self) -> str:
        return self.model_dump_json(indent=2)

    @classmethod
    def from_json(cls, text: str | bytes) -> Recipe:
        """Raises RecipeError with one line per wrong field."""
        return parse(cls, read_json(text, "This recipe"))

    def flat(self) -> dict[str, Any]:
        """Dotted field name -> value, e.g. {"training.epochs": 10, …}; lists of parts stay lists of dicts."""
        values = self.model_dump(mode="json")
        return {name: _at(values, name) for name, _ in fields(Recipe)}

    def to_query(self, default: Recipe | None = None) -> dict[str, str]:
        """Only what differs from `default` (a recipe without any choice), as URL query parameters."""
        plain = (default or Recipe()).flat()
        return {name: _to_text(value) for name, value in self.flat().items() if value != plain[name]}

    @classmethod
    def from_query(cls, query: Mapping[str, str], default: Recipe | None = None) -> Recipe:
        """The inverse of `to_query`; names that are not recipe fields are ignored. Raises RecipeError."""
        values: dict[str, Any] = (default or Recipe()).model_dump(mode="json")
        for name, field in fields(cls):
            if name in query:
                *path, last = name.split(".")
                place = values
                for step in path:
                    place = place.setdefault(step, {})
                place[last] = _from_text(query[name], field, name)
        return parse(cls, values)


def diff(a: Recipe, b: Recipe) -> list[tuple[str, Any, Any]]:
    """(dotted name, value in a, value in b) for each field that differs."""
    left, right = a.flat(), b.flat()
    return [(name, left[name], right[name]) for name in left if left[name] != right[name]]


def _at(values: dict[str, Any], dotted: str) -> Any:
    for step in dotted.split("."):
        values = values[step]
    return values


def _to_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _from_text(text: str, field: FieldInfo, name: str) -> Any:
    if "tuple" not in str(field.annotation):
        return text
    return read_json(text, f"{name} in the address")
