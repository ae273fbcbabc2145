"""The operations inside a network and their addresses. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cnn_core.models.layer import Layer, Shape
from cnn_core.models.summary import shapes
from cnn_core.recipe import LayerRate


@dataclass(frozen=True)
class Operation:
    """One operation: a layer, or a part of one."""

    address: str  # the dotted name of its module: "9", or "9.conv1" inside the layer at position 9
    position: int  # of its layer, 0-based
    title: str  # "Convolution", or "Residual block, convolution 1"


def operations(layers: Sequence[Layer], input_shape: Shape, classes: int) -> list[Operation]:
    """Every operation in order. Raises ShapeError."""
    found = []
    for position, (layer, shape) in enumerate(zip(layers, shapes(layers, input_shape, classes), strict=False)):
        for name, title in layer.parts(shape, classes) or [("", "")]:
            address = f"{position}.{name}" if name else str(position)
            found.append(Operation(address, position, f"{layer.title}, {title}" if title else layer.title))
    return found


def covers(address: str, operation: str) -> bool:
    """Whether an operation lies at an address or below it."""
    return operation == address or operation.startswith(f"{address}.")


def factor_of(part: str, rates: Sequence[LayerRate]) -> float:
    """What the learning rate is multiplied by for an operation or one of its parameters, by its dotted name: the factor
    of the longest address that covers it, else 1; 0 is frozen."""
    covering = [rate for rate in rates if covers(rate.address, part)]
    return max(covering, key=lambda rate: len(rate.address)).factor if covering else 1.0


def frozen(parts: Sequence[Operation], rates: Sequence[LayerRate]) -> list[str]:
    """Addresses of those that do not learn."""
    return [part.address for part in parts if factor_of(part.address, rates) == 0]
