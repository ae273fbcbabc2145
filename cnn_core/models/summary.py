"""What a network does to an image, layer by layer, worked out without building it. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cnn_core.errors import PlaygroundError, ShapeError
from cnn_core.models.layer import advance, called
from cnn_core.models.layers import Layer, Reach, Shape, describe, read_layers
from cnn_core.recipe import LayerSpec

MOST_PARAMETERS = 200_000_000  # 0.8 GB of weights, four times that while training


@dataclass(frozen=True)
class LayerSummary:
    """One row of the table."""

    position: int  # 0-based
    kind: str
    title: str
    detail: str  # "3×3, 32 channels"
    output_shape: Shape
    parameters: int
    macs: int  # multiply-accumulates for one image
    numbers: int  # made of one image by all its operations
    receptive_field: int | None  # side in pixels of the image; None: the whole image


@dataclass(frozen=True)
class Totals:
    """The table's last row."""

    parameters: int
    macs: int
    megabytes: float  # of float32 weights


def summarise(layers: Sequence[LayerSpec], input_shape: Shape, classes: int) -> list[LayerSummary]:
    """One row a layer for images of `input_shape` (C, H, W).

    Raises ShapeError naming the first layer that does not fit (the last one when it does not end in one score a
    class), RecipeError or UnknownNameError when a layer cannot be read.
    """
    kinds = read_layers(layers)
    rows, field = [], _Field()
    for position, (layer, shape) in enumerate(zip(kinds, shapes(kinds, input_shape, classes), strict=False)):
        field = field.through(layer.reach(shape, classes))
        rows.append(
            LayerSummary(
                position,
                layer.kind,
                layer.title,
                layer.detail(classes),
                layer.output_shape(shape, classes),
                layer.parameters(shape, classes),
                layer.macs(shape, classes),
                layer.numbers(shape, classes),
                field.side,
            )
        )
    return rows


def totals(rows: Sequence[LayerSummary]) -> Totals:
    """Sums over the rows of `summarise`."""
    parameters = sum(row.parameters for row in rows)
    return Totals(parameters, sum(row.macs for row in rows), parameters * 4 / 1e6)


def shapes(layers: Sequence[Layer], input_shape: Shape, classes: int) -> list[Shape]:
    """The shape before each layer and, last, the one that comes out. Raises ShapeError."""
    if not layers:
        raise ShapeError("The network has no layers. Start from a preset or add a flatten and a linear layer.", 0)
    found, parameters = [tuple(input_shape)], 0
    for position, layer in enumerate(layers):
        found.append(_after(layer, position, found[-1], classes))
        parameters += layer.parameters(found[-2], classes)
        if parameters > MOST_PARAMETERS:
            raise _wrong(
                layer,
                position,
                f"with it the network has {parameters:,} parameters; at most {MOST_PARAMETERS:,} are allowed. "
                "Use fewer features or channels, or a pooling layer before it.",
            )
    if found[-1] != (classes,):
        step = "End with a" if len(found[-1]) == 1 else "Add a flatten and a"
        raise _wrong(
            layers[-1],
            len(layers) - 1,
            f"the network ends in {describe(found[-1])}, but there are {classes} classes and each needs one number. "
            f"{step} linear layer of 0 features, which means one a class.",
        )
    return found


def _after(layer: Layer, position: int, shape: Shape, classes: int) -> Shape:
    try:
        return advance(layer, shape, classes)
    except PlaygroundError as problem:
        raise _wrong(layer, position, str(problem)) from None


def _wrong(layer: Layer, position: int, sentence: str) -> ShapeError:
    return ShapeError(f"Layer {position + 1}, {called(layer)}: {sentence}", position)


@dataclass(frozen=True)
class _Field:
    """Receptive field so far: `side` pixels, one step in the maps is `jump` pixels (Araujo et al. 2019,
    https://distill.pub/2019/computing-receptive-fields)."""

    side: int | None = 1
    jump: int = 1

    def through(self, reach: Reach | None) -> _Field:
        if reach is None or self.side is None:
            return _Field(None)
        kernel, stride = reach
        return _Field(self.side + (kernel - 1) * self.jump, self.jump * stride)
