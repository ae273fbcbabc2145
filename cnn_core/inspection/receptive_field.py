"""The part of the image that one output of an operation depends on."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from cnn_core.inspection.stage.graph import Node, graph
from cnn_core.models.network import INPUT, Network

Span = tuple[int, int]  # from a row or column to another, the second exclusive
Slide = tuple[int, int, int]  # kernel, stride and padding
SLIDING = ("conv", "max_pool", "avg_pool")


@dataclass(frozen=True)
class Window:
    """A square window in pixels of the image: the output at row r looks at rows from `step`·r - `before` on."""

    side: int = 1
    step: int = 1
    before: int = 0

    def through(self, kernel: int, stride: int, padding: int) -> Window:
        """After one more window of `kernel`, `stride` and `padding` slides over what this one gives."""
        return Window(self.side + (kernel - 1) * self.step, self.step * stride, self.before + padding * self.step)


def windows(network: Network) -> dict[str, Window | None]:
    """Address of every operation -> its window, of the wider way where two meet; None where it sees the whole image."""
    found: dict[str, Window | None] = {INPUT: Window()}
    for node in graph(network):
        slide, before = _slide(network, node), [found[source] for source in node.sources]
        seen = [window.through(*slide) for window in before if window is not None and slide is not None]
        whole = len(seen) < len(before) or len(node.shape) == 1
        found[node.address] = None if whole else max(seen, key=lambda window: window.side)
    return found


def _slide(network: Network, node: Node) -> Slide | None:
    """Kernel, stride and padding of an operation; of one that keeps each number in its place 1, 1 and 0; None where
    the windows are not all the same."""
    module = network.get_submodule(node.address) if node.kind in SLIDING else None
    if isinstance(module, nn.Conv2d):
        span = module.dilation[0] * (module.kernel_size[0] - 1) + 1
        return span, module.stride[0], int(module.padding[0])
    if isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
        return module.kernel_size, module.stride, module.padding  # type: ignore[return-value]
    return None if node.kind == "adaptive_avg_pool" else (1, 1, 0)


def receptive_field(network: Network, address: str, row: int = 0, column: int = 0) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) in pixels, the last two exclusive and all within the image: what the output of an
    operation at a place of its maps depends on.

    Followed back from there, so that padding between layers and the last rows that a stride leaves out are not counted.
    A row of numbers sees the whole image. (0, 0, 0, 0) where only padding is seen. Raises KeyError for an address that
    is not there.
    """
    _, height, width = network.input_shape
    if windows(network)[address] is None:
        return 0, 0, height, width
    nodes = graph(network)
    sides = {INPUT: (height, width), **{node.address: node.shape[1:] for node in nodes if len(node.shape) > 1}}
    rows, columns = ({address: (place, place + 1)} for place in (row, column))
    for node in reversed(nodes):
        if node.address not in rows:
            continue
        slide = _slide(network, node)
        assert slide is not None, "where one is None the whole image is seen"
        for source in node.sources:
            down, across = sides[source]
            rows[source] = _union(rows.get(source), _seen(rows[node.address], slide, down))
            columns[source] = _union(columns.get(source), _seen(columns[node.address], slide, across))
    (top, bottom), (left, right) = rows[INPUT], columns[INPUT]
    return (top, left, bottom, right) if top < bottom and left < right else (0, 0, 0, 0)


def _seen(span: Span, slide: Slide, size: int) -> Span:
    """The places 0..size - 1 that those of a span depend on, (0, 0) for none; the ends are exclusive."""
    kernel, stride, padding = slide
    first, last = max(0, span[0] * stride - padding), min(size, (span[1] - 1) * stride - padding + kernel)
    return (first, last) if span[0] < span[1] and first < last else (0, 0)


def _union(one: Span | None, other: Span) -> Span:
    """The smallest span with both."""
    filled = [span for span in (one, other) if span and span[0] < span[1]]
    return (min(span[0] for span in filled), max(span[1] for span in filled)) if filled else (0, 0)
