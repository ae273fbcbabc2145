"""A network as a class with `features` and `classifier`."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass

from cnn_core.export.pytorch.kinds import calls
from cnn_core.models.composite import Branches, Repeat
from cnn_core.models.layer import Layer, Shape, advance
from cnn_core.models.layers import read_layers
from cnn_core.models.separable import DepthwiseSeparable
from cnn_core.models.split import classifier_start
from cnn_core.models.summary import shapes
from cnn_core.recipe import LayerSpec

Names = tuple[tuple[str, str], ...]  # address here -> address in the code, of each module
STEP = "    "
MERGES = {"concatenate": "Concatenate", "add": "Add", "multiply": "Multiply"}
HELPERS = {
    "Concatenate": '''class Concatenate(nn.ModuleList):
    """Branches side by side, their maps one after the other."""

    def forward(self, x):
        return torch.cat([branch(x) for branch in self], dim=1)
''',
    "Add": '''class Add(nn.ModuleList):
    """Branches side by side, added up."""

    def forward(self, x):
        return sum(branch(x) for branch in self)
''',
    "Multiply": '''class Multiply(nn.ModuleList):
    """Branches side by side, multiplied; one number a map multiplies the whole map."""

    def forward(self, x):
        first, *others = sorted((branch(x) for branch in self), key=torch.Tensor.dim, reverse=True)
        for other in others:
            first = first * other.reshape(*other.shape, *[1] * (first.dim() - other.dim()))
        return first
''',
}
QUOTED = ("ResidualBlock", "ScaledLinear")  # classes of cnn_core.models.blocks


@dataclass(frozen=True)
class Item:
    """Code of one or more modules of a sequence."""

    lines: tuple[str, ...]
    names: Names  # the second relative to the place of the first module, such as "0" or "0.2"
    shape: Shape | None = None  # of what comes out, for the comment
    modules: int = 1
    separated: bool = False  # whether its lines have the commas between its modules


def network_code(layers: Sequence[LayerSpec], input_shape: Shape, classes: int) -> str:
    """Python source of a class `Network`: normalised images (N, C, H, W) -> logits (N, classes).

    Raises ShapeError, RecipeError or UnknownNameError for a network that cannot be built.
    """
    parts = _parts(layers, input_shape, classes)
    body = [f"class Network(nn.Module):\n{STEP}def __init__(self):\n{2 * STEP}super().__init__()"]
    for name, items in parts:
        body.append(f"{2 * STEP}self.{name} = " + _text(_sequential(items), 2))
    flow = "images"
    for name, _ in parts:
        flow = f"self.{name}({flow})"
    size = " × ".join(map(str, input_shape))
    body.append(
        f"\n{STEP}def forward(self, images):  # (N, {', '.join(map(str, input_shape))})\n{2 * STEP}return {flow}"
    )
    source = "\n".join(body)
    head = f'"""Images of {size} to {classes} logits."""\n\nimport torch\nfrom torch import nn\n'
    return "\n\n".join([head, *_helpers(source), source]) + "\n"


def names(layers: Sequence[LayerSpec], input_shape: Shape, classes: int) -> dict[str, str]:
    """Address of each module that holds numbers -> its address in the class of `network_code`."""
    found: dict[str, str] = {}
    for name, items in _parts(layers, input_shape, classes):
        found |= {old: f"{name}.{new}" for old, new in _numbered(items)}
    return found


def _parts(layers: Sequence[LayerSpec], input_shape: Shape, classes: int) -> list[tuple[str, list[Item]]]:
    kinds = read_layers(layers)
    items = _items(kinds, shapes(kinds, input_shape, classes), classes, "")
    cut = classifier_start(layers)
    if not 0 < cut < len(layers):
        return [("layers", items)]
    return [("features", items[:cut]), ("classifier", items[cut:])]


def _items(layers: Sequence[Layer], ins: Sequence[Shape], classes: int, before: str) -> list[Item]:
    return [_item(layer, ins[place], classes, f"{before}{place}") for place, layer in enumerate(layers)]


def _item(layer: Layer, shape: Shape, classes: int, address: str) -> Item:
    after = advance(layer, shape, classes)
    if isinstance(layer, Repeat):
        return _repeat(layer, shape, classes, address)
    if isinstance(layer, Branches):
        return _branches(layer, shape, after, classes, address)
    if isinstance(layer, DepthwiseSeparable):
        halves = layer.halves()
        between = advance(halves[0], shape, classes)
        inside = [_item(halves[0], shape, classes, f"{address}.depthwise")]
        inside.append(_item(halves[1], between, classes, f"{address}.pointwise"))
        return Item(tuple(_sequential(inside)), _below("0", _numbered(inside)), after)
    code = calls(layer, shape, classes)
    return Item(tuple(code), ((address, "0"),), after, len(code))


def _repeat(layer: Repeat, shape: Shape, classes: int, address: str) -> Item:
    """A comprehension where all times read the same, else each written out."""
    ins, length = layer.shapes(shape, classes), len(layer.lists[0])
    times = [_items(layer.lists[0], ins[time * length :], classes, f"{address}.{time}.") for time in range(layer.times)]
    single = length == 1 and times[0][0].modules == 1
    written = [list(items[0].lines) if single else _sequential(items) for items in times]
    found: list[tuple[str, str]] = []
    for time, items in enumerate(times):
        found += [(old, f"{time}{new[1:]}" if single else f"{time}.{new}") for old, new in _numbered(items)]
    if all(_same(items, times[0]) for items in times) and layer.times > 1:
        lines = [f"*[{written[0][0]}", *written[0][1:]]
        lines[-1] += f" for _ in range({layer.times})]"
    else:
        lines = [line for one in written for line in _with_comma(one)]
        lines[-1] = lines[-1].removesuffix(",")
    return Item(tuple(lines), tuple(found), ins[-1], layer.times, separated=True)


def _same(one: Sequence[Item], other: Sequence[Item]) -> bool:
    return [item.lines for item in one] == [item.lines for item in other]


def _branches(layer: Branches, shape: Shape, after: Shape, classes: int, address: str) -> Item:
    lines = [f"{MERGES[layer.merge]}(["]
    found: list[tuple[str, str]] = []
    for number, (branch, ins) in enumerate(zip(layer.lists, layer.shapes(shape, classes), strict=True)):
        items = _items(branch, ins, classes, f"{address}.{number}.")
        code = _sequential(items) if items else ["nn.Identity()"]
        lines += [STEP + line for line in _with_comma(code)]
        found += _below(str(number), _numbered(items))
    return Item((*lines, "])"), _below("0", found), after)


def _sequential(items: Sequence[Item]) -> list[str]:
    """Lines of an nn.Sequential, each layer followed by the shape of what comes out where it changes."""
    lines, shape = ["nn.Sequential("], None
    for item in items:
        inside = _with_comma(list(item.lines)) if item.modules == 1 else _each(item)
        if item.shape is not None and item.shape != shape:
            inside[-1] += f"  # {_shape(item.shape)}"
        shape = item.shape
        lines += [STEP + line for line in inside]
    return [*lines, ")"]


def _each(item: Item) -> list[str]:
    """Several modules, with a comma after each."""
    return _with_comma(list(item.lines)) if item.separated else [f"{line}," for line in item.lines]


def _with_comma(lines: list[str]) -> list[str]:
    return [*lines[:-1], f"{lines[-1]},"]


def _numbered(items: Sequence[Item]) -> Names:
    """Names from the place of each module in a sequence."""
    found, place = [], 0
    for item in items:
        for old, new in item.names:
            first, _, rest = new.partition(".")
            found.append((old, f"{place + int(first)}{'.' if rest else ''}{rest}"))
        place += item.modules
    return tuple(found)


def _below(place: str, inside: Sequence[tuple[str, str]]) -> Names:
    return tuple((old, f"{place}.{new}") for old, new in inside)


def _shape(shape: Shape) -> str:
    return str(shape).replace("'", "")


def _text(lines: Sequence[str], depth: int) -> str:
    return f"\n{STEP * depth}".join(lines)


def _helpers(source: str) -> list[str]:
    """The classes it uses; torch itself has none like them."""
    found = [code for name, code in HELPERS.items() if f"{name}([" in source]
    for name in QUOTED:
        if f"{name}(" in source:
            from cnn_core.models import blocks

            found.append(inspect.getsource(getattr(blocks, name)).replace("Tensor", "torch.Tensor"))
    return found
