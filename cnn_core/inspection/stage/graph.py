"""The operations of a network as a graph: what each is called, what it makes and what it takes. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cnn_core.models.layer import Layer, Shape, layer_kinds
from cnn_core.models.network import INPUT, Network
from cnn_core.models.summary import shapes

ADD, SOFTMAX = "add", "softmax"
THIN = ("batch_norm", "relu", "leaky_relu", "sigmoid", "tanh", "gelu", "dropout")  # keep the shape and each map apart
PARTS = {"conv": "conv", "norm": "batch_norm", "relu": "relu", "skip_conv": "conv", "skip_norm": "batch_norm"}
SHORT = {"conv": "Conv", "batch_norm": "Batch norm", "max_pool": "Max pool", "avg_pool": "Avg pool", ADD: "Sum"}


@dataclass(frozen=True)
class Node:
    """One operation. Its address is the dotted name of its module, such as "9.conv1"; the sum of a residual block and
    the softmax at the end, which are no modules, have "9.add" and "softmax"."""

    address: str
    kind: str  # of a layer, or "add" or "softmax"
    name: str  # short: "Conv 3×3"
    title: str  # in full: "Residual block, convolution 1"
    shape: Shape  # of its output
    sources: tuple[str, ...]  # addresses of what it takes; "input" is the image
    group: str  # address of the operation whose channels it keeps: its map i belongs to map i there
    parameters: int = 0
    block: int | None = None  # position of the residual block it lies in
    skip: bool = False  # on the skip of that block

    @property
    def thin(self) -> bool:
        """Whether it works on each number alone."""
        return self.kind in THIN


def graph(network: Network) -> list[Node]:
    """Every operation in the order it is computed, the softmax last."""
    nodes: list[Node] = []
    parameters = {address: sum(p.numel() for p in m.parameters(False)) for address, m in network.named_modules()}
    before = (INPUT, INPUT)  # address and group of what the next layer takes
    ins = list(shapes(network.layers, network.input_shape, network.classes))
    for position, (layer, incoming, outgoing) in enumerate(zip(network.layers, ins, ins[1:], strict=False)):
        if layer.parts(incoming):
            nodes += _block(position, layer, incoming, outgoing, before)
        else:
            nodes.append(_plain(position, layer, incoming, outgoing, before))
        before = nodes[-1].address, nodes[-1].group
    nodes.append(Node(SOFTMAX, SOFTMAX, "Softmax", "Softmax", (network.classes,), (before[0],), before[1]))
    return [replace(node, parameters=parameters.get(node.address, 0)) for node in nodes]


def _plain(position: int, layer: Layer, incoming: Shape, outgoing: Shape, before: tuple[str, str]) -> Node:
    address = str(position)
    keeps = incoming[0] == outgoing[0] and layer.kind not in ("conv", "linear", "flatten")
    name = SHORT.get(layer.kind, layer.title)
    kernel = getattr(layer, "kernel", 0)
    if layer.kind == "conv":
        name = f"{name} {kernel}×{kernel}"
    if layer.kind == "global_pool":
        name = f"Global {'max' if getattr(layer, 'mode', '') == 'max' else 'avg'}"
    return Node(
        address,
        layer.kind,
        name,
        f"{layer.title} {layer.detail(outgoing[0])}".strip(),
        outgoing,
        (before[0],),
        before[1] if keeps else address,
    )


def _block(position: int, layer: Layer, incoming: Shape, outgoing: Shape, before: tuple[str, str]) -> list[Node]:
    """The parts of a residual block, in the order they are computed, with the sum before the last ReLU."""
    parts = layer.parts(incoming)
    names = [name for name, _ in parts]
    inner, outer = f"{position}.conv1", f"{position}.conv2"
    if "skip_conv" not in names:
        outer = before[1]  # what is added keeps its channels, and so does the sum
    skip = f"{position}.skip_norm" if "skip_conv" in names else before[0]
    previous, nodes = before[0], []
    for name, title in parts:
        address = f"{position}.{name}"
        on_skip = name.startswith("skip")
        kind = PARTS[name] if on_skip else PARTS[name.rstrip("12")]
        source = (before[0] if name == "skip_conv" else f"{position}.skip_conv") if on_skip else previous
        if name == "relu2":
            sources = (previous, skip)
            nodes.append(_part(position, ADD, ADD, "sum", outgoing, sources, outer))
            source = f"{position}.{ADD}"
        group = inner if name in ("conv1", "norm1", "relu1") else outer
        nodes.append(_part(position, name, kind, title, outgoing, (source,), group, on_skip))
        previous = previous if on_skip else address
    return nodes


def _part(
    position: int,
    name: str,
    kind: str,
    title: str,
    shape: Shape,
    sources: tuple[str, ...],
    group: str,
    skip: bool = False,
) -> Node:
    side = "1×1" if skip else "3×3"
    short = f"Conv {side}" if kind == "conv" else SHORT.get(kind, layer_kinds.get(kind).title if kind != ADD else "Sum")
    return Node(f"{position}.{name}", kind, short, f"Residual block, {title}", shape, sources, group, 0, position, skip)


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
