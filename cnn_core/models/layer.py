"""What a layer kind is: typed parameters, a shape rule, and how to build it."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, ClassVar, TypeVar

from cnn_core.errors import PlaygroundError, UnknownNameError
from cnn_core.recipe import LayerSpec
from cnn_core.registry import Registry
from cnn_core.spec import Spec, parse

if TYPE_CHECKING:
    from torch import nn

MOST_NUMBERS = 100_000_000  # that one layer makes of one image: 0.4 GB
Shape = tuple[int, ...]  # without the batch: (C, H, W) for maps, (F,) for a row of numbers
Reach = tuple[int, int]  # (kernel, stride) in pixels of the layer's own input, for the receptive field


class Layer(Spec):
    """Base of every layer kind. Its fields are what a person can choose.

    `classes` is the number of classes of the data set. Rules are plain arithmetic; only `build` needs torch.
    The defaults here are those of a layer that works on each number alone and learns nothing.
    """

    kind: ClassVar[str]
    title: ClassVar[str]
    help: ClassVar[str]

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        """What comes out when `shape` goes in. Raises PlaygroundError: what came in and what would fit."""
        return shape

    def parameters(self, shape: Shape, classes: int) -> int:
        """Numbers learned."""
        return 0

    def macs(self, shape: Shape, classes: int) -> int:
        """Multiply-accumulates of convolutions and linear layers for one image; biases and the rest are not counted."""
        return 0

    def numbers(self, shape: Shape, classes: int) -> int:
        """Numbers that its operations make of one image: what training keeps for the gradients."""
        return prod(self.output_shape(shape, classes))

    def reach(self, shape: Shape, classes: int) -> Reach | None:
        """Kernel and stride of the window one output looks through; None when it looks at the whole input."""
        return 1, 1

    def parts(self, shape: Shape, classes: int) -> list[tuple[str, str]]:
        """Name and title of each operation inside it for an input of `shape`; none where it is a single operation."""
        return []

    def detail(self, classes: int) -> str:
        """The parameters in a few words, such as "3×3, 32 channels"."""
        return ""

    @property
    def most_operations(self) -> int:
        """At least as many as the operations inside it, 1 for a single one."""
        return 1

    @property
    def depth(self) -> int:
        """How deep lists of layers are nested inside it: 0 where it holds none."""
        return 0

    def build(self, shape: Shape, classes: int) -> nn.Module:
        """The torch module for an input of `shape`, weights drawn as torch draws them by default."""
        raise NotImplementedError


layer_kinds: Registry[type[Layer]] = Registry("layer kind")

L = TypeVar("L", bound=type[Layer])


def register(layer: L) -> L:
    """Class decorator: add a layer kind under its `kind`."""
    layer_kinds.add(layer.kind, layer)
    return layer


def read_layers(specs: Sequence[LayerSpec]) -> list[Layer]:
    """The typed layers. Raises UnknownNameError or RecipeError, naming the layer's position counted from 1."""
    return [_read(spec, position) for position, spec in enumerate(specs, start=1)]


def _read(spec: LayerSpec, position: int) -> Layer:
    if spec.kind not in layer_kinds:
        try:
            layer_kinds.get(spec.kind)
        except UnknownNameError as error:
            raise UnknownNameError(f"Layer {position}: {error}") from None
    return parse(layer_kinds.get(spec.kind), spec.parameters, f"Layer {position} ({spec.kind})")


def called(layer: Layer) -> str:
    """Its title within a sentence: "max pooling", but "ReLU"."""
    return layer.title.lower() if layer.title[1:].islower() else layer.title


def require_maps(shape: Shape) -> tuple[int, int, int]:
    """`shape` as (C, H, W). Raises PlaygroundError when it is a row of numbers."""
    if len(shape) != 3:
        raise PlaygroundError(f"it takes maps, but a row of {describe(shape)} comes in. Put it before the flatten.")
    return shape


def describe(shape: Shape) -> str:
    """A shape for people: "64 maps of 4×4" or "128 numbers"."""
    if len(shape) == 3:
        return f"{shape[0]} map{'s' * (shape[0] != 1)} of {shape[1]}×{shape[2]}"
    return f"{shape[0]} number{'s' * (shape[0] != 1)}"


def slide(shape: Shape, kernel: int, stride: int, padding: int, dilation: int = 1) -> tuple[int, int]:
    """(H, W) after a square window slides over maps of `shape`: floor((side + 2·padding - span) / stride) + 1 with
    span = dilation·(kernel - 1) + 1.

    Raises PlaygroundError when the window does not fit.
    """
    _, height, width = require_maps(shape)
    largest, span = min(height, width) + 2 * padding, dilation * (kernel - 1) + 1
    if span > largest:
        padded = f" with {padding} of padding" if padding else ""
        spread = f" of dilation {dilation}, {span} wide," if dilation > 1 else ""
        fits = (largest - 1) // dilation + 1
        raise PlaygroundError(
            f"a {kernel}×{kernel} kernel{spread} does not fit its {height}×{width} input{padded}. Use a kernel of at "
            f"most {fits}, more padding, or one pooling layer fewer."
        )
    return (height + 2 * padding - span) // stride + 1, (width + 2 * padding - span) // stride + 1


def advance(layer: Layer, shape: Shape, classes: int) -> Shape:
    """What comes out of a layer. Raises PlaygroundError where `shape` does not fit, or where there is more than a
    computer has memory for."""
    found = layer.output_shape(shape, classes)
    if (numbers := prod(found)) > MOST_NUMBERS:
        raise PlaygroundError(
            f"it makes {numbers:,} numbers of one image; at most {MOST_NUMBERS:,} are allowed. Use fewer channels, a "
            "larger stride, or a pooling layer before it."
        )
    return found
