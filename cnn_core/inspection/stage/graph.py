"""The operations of a network as a graph: what each is called, what it makes and what it takes. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cnn_core.models.composite import MERGED, Branches, Repeat
from cnn_core.models.convolution import Residual
from cnn_core.models.layer import Layer, Shape, called, layer_kinds
from cnn_core.models.network import INPUT, Network
from cnn_core.models.separable import DepthwiseSeparable
from cnn_core.models.summary import shapes

ADD, SOFTMAX, SOFTMAX_LAYER = "add", "softmax", "softmax_layer"
MERGES = ("concatenate", "add", "multiply")
THIN = (  # keep the shape and each map apart
    *("batch_norm", "group_norm", "layer_norm", "dropout", "dropout2d"),
    *("relu", "leaky_relu", "sigmoid", "tanh", "gelu", "silu", "hardswish", "elu"),
)
PARTS = {"conv": "conv", "norm": "batch_norm", "relu": "relu", "skip_conv": "conv", "skip_norm": "batch_norm"}
SHORT = {
    **{"conv": "Conv", "pointwise": "Conv 1×1", "depthwise": "Depthwise", "batch_norm": "Batch norm"},
    **{"max_pool": "Max pool", "avg_pool": "Avg pool", "adaptive_avg_pool": "Avg pool", "dropout2d": "Dropout"},
    **{"concatenate": "Concat", "add": "Sum", "multiply": "Product"},
}
CONVOLUTIONS = ("conv", "depthwise", "pointwise")
MIXES = (*CONVOLUTIONS, "linear", "flatten")  # a map that comes out is not one of those that came in


@dataclass(frozen=True)
class Node:
    """One operation. Its address is the dotted name of its module, such as "9.conv1", that of branches for what merges
    them; the sum of a residual block and the softmax at the end, which are no modules, have "9.add" and "softmax"."""

    address: str
    kind: str  # of a layer, "conv" for every convolution, what merges branches, or "softmax" for the one at the end
    name: str  # short: "Conv 3×3"
    title: str  # in full: "Residual block, convolution 1"
    shape: Shape  # of its output
    sources: tuple[str, ...]  # addresses of what it takes; "input" is the image
    group: str  # address of the operation whose channels it keeps: its map i belongs to map i there
    parameters: int = 0
    block: str | None = None  # address of the residual block or the branches it lies in, of the outermost
    skip: bool = False  # on the skip of a residual block
    lane: int | None = None  # number of the branch it lies in

    @property
    def thin(self) -> bool:
        """Whether it works on each number alone."""
        return self.kind in THIN


@dataclass(frozen=True)
class _Place:
    """Where a list of layers stands: what it takes, and the block around it."""

    source: str
    group: str
    title: str = ""  # before those of its layers
    block: str | None = None
    lane: int | None = None
    classes: int = 1


def graph(network: Network) -> list[Node]:
    """Every operation in the order it is computed, the softmax last."""
    parameters = {address: sum(p.numel() for p in m.parameters(False)) for address, m in network.named_modules()}
    ins = shapes(network.layers, network.input_shape, network.classes)
    nodes = _list(network.layers, ins, "", _Place(INPUT, INPUT, classes=network.classes))
    last = nodes[-1]
    nodes.append(Node(SOFTMAX, SOFTMAX, "Softmax", "Softmax", (network.classes,), (last.address,), last.group))
    return [replace(node, parameters=parameters.get(node.address, 0)) for node in nodes]


def _list(layers: Sequence[Layer], ins: Sequence[Shape], before: str, place: _Place) -> list[Node]:
    """The operations of a list of layers, their addresses below `before`."""
    nodes: list[Node] = []
    for number, (layer, incoming, outgoing) in enumerate(zip(layers, ins, ins[1:], strict=False)):
        nodes += _layer(f"{before}{number}", layer, incoming, outgoing, place)
        if nodes:  # a repeated group of nothing has none
            place = replace(place, source=nodes[-1].address, group=nodes[-1].group)
    return nodes


def _layer(address: str, layer: Layer, incoming: Shape, outgoing: Shape, place: _Place) -> list[Node]:
    if isinstance(layer, Repeat):
        return _repeat(address, layer, incoming, place)
    if isinstance(layer, Branches):
        return _branches(address, layer, incoming, outgoing, place)
    if isinstance(layer, DepthwiseSeparable):
        first, second = layer.halves()
        middle = first.output_shape(incoming, place.classes)
        one = _plain(f"{address}.depthwise", first, middle, place)
        return [one, _plain(f"{address}.pointwise", second, outgoing, replace(place, source=one.address))]
    if isinstance(layer, Residual):
        return _residual(address, layer, incoming, outgoing, place)
    return [_plain(address, layer, outgoing, place)]


def _repeat(address: str, layer: Repeat, incoming: Shape, place: _Place) -> list[Node]:
    ins, length, title = layer.shapes(incoming, place.classes), len(layer.lists[0]), place.title
    nodes: list[Node] = []
    for time in range(layer.times):
        place = replace(place, title=f"{title}repetition {time + 1}, ")
        nodes += _list(layer.lists[0], ins[time * length : (time + 1) * length + 1], f"{address}.{time}.", place)
        if nodes:
            place = replace(place, source=nodes[-1].address, group=nodes[-1].group)
    return nodes


def _branches(address: str, layer: Branches, incoming: Shape, outgoing: Shape, place: _Place) -> list[Node]:
    """Those of each branch, and what merges them."""
    block = place.block or address
    nodes: list[Node] = []
    ends: list[Node | None] = []
    for number, (branch, ins) in enumerate(zip(layer.lists, layer.shapes(incoming, place.classes), strict=True)):
        lane = number if place.lane is None else place.lane
        inside = _Place(place.source, place.group, f"{place.title}branch {number + 1}, ", block, lane, place.classes)
        found = _list(branch, ins, f"{address}.{number}.", inside)
        nodes += found
        ends.append(found[-1] if found else None)
    kind = layer.merge
    groups = [end.group if end else place.group for end, ins in zip(ends, layer.lists, strict=True)]
    kept = address if kind == "concatenate" or place.group not in groups else place.group
    sources = tuple(end.address if end else place.source for end in ends)
    title = f"{place.title}{layer.title.lower() if place.title else layer.title}, {MERGED[kind]}"
    merge = Node(address, kind, SHORT[kind], title, outgoing, sources, kept, 0, block, lane=place.lane)
    return [*nodes, merge]


def _plain(address: str, layer: Layer, outgoing: Shape, place: _Place) -> Node:
    kind = "conv" if layer.kind in CONVOLUTIONS else SOFTMAX_LAYER if layer.kind == SOFTMAX else layer.kind
    name = SHORT.get(layer.kind, layer.title)
    if layer.kind == "conv":
        name = f"{name} {getattr(layer, 'kernel', 0)}×{getattr(layer, 'kernel', 0)}"
    if layer.kind == "global_pool":
        name = f"Global {'max' if getattr(layer, 'mode', '') == 'max' else 'avg'}"
    words = f"{called(layer) if place.title else layer.title} {layer.detail(outgoing[0])}".strip()
    group = address if layer.kind in MIXES else place.group
    title = f"{place.title}{words}"
    return Node(address, kind, name, title, outgoing, (place.source,), group, 0, place.block, lane=place.lane)


def _residual(address: str, layer: Layer, incoming: Shape, outgoing: Shape, place: _Place) -> list[Node]:
    """The parts of a residual block, in the order they are computed, with the sum before the last ReLU."""
    parts = layer.parts(incoming, place.classes)
    names = [name for name, _ in parts]
    inner, outer = f"{address}.conv1", f"{address}.conv2"
    if "skip_conv" not in names:
        outer = place.group  # what is added keeps its channels, and so does the sum
    skip = f"{address}.skip_norm" if "skip_conv" in names else place.source
    previous, nodes = place.source, []
    block = place.block or address

    def part(name: str, kind: str, title: str, sources: tuple[str, ...], group: str, on_skip: bool = False) -> Node:
        side = "1×1" if on_skip else "3×3"
        short = f"Conv {side}" if kind == "conv" else SHORT.get(kind, "") or layer_kinds.get(kind).title
        title = f"{place.title}{called(layer) if place.title else layer.title}, {title}"
        return Node(f"{address}.{name}", kind, short, title, outgoing, sources, group, 0, block, on_skip, place.lane)

    for name, title in parts:
        on_skip = name.startswith("skip")
        kind = PARTS[name] if on_skip else PARTS[name.rstrip("12")]
        source = (place.source if name == "skip_conv" else f"{address}.skip_conv") if on_skip else previous
        if name == "relu2":
            nodes.append(part(ADD, ADD, "sum", (previous, skip), outer))
            source = f"{address}.{ADD}"
        group = inner if name in ("conv1", "norm1", "relu1") else outer
        nodes.append(part(name, kind, title, (source,), group, on_skip))
        previous = previous if on_skip else f"{address}.{name}"
    return nodes


def flattened(node: Node, nodes: Mapping[str, Node]) -> str | None:
    """Address of the maps whose values a flatten has written into the row that `node` takes, with only layers that work
    on each number alone in between; "input" where it is the image; None where there is no such flatten."""
    source = node.sources[0]
    while source in nodes and nodes[source].thin and len(nodes[source].shape) == 1:
        source = nodes[source].sources[0]
    return nodes[source].sources[0] if source in nodes and nodes[source].kind == "flatten" else None


def consumers(nodes: Sequence[Node]) -> dict[str, list[Node]]:
    """Group -> the operations with weights that mix its channels."""
    by_address = {node.address: node for node in nodes}
    groups = {node.address: node.group for node in nodes} | {INPUT: INPUT}
    found: dict[str, list[Node]] = {}
    for node in nodes:
        if node.kind in ("conv", "linear"):
            found.setdefault(groups[flattened(node, by_address) or node.sources[0]], []).append(node)
    return found
