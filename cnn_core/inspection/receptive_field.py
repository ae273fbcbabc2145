"""The part of the image that one output of an operation depends on."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from cnn_core.inspection.stage.graph import Node, graph
from cnn_core.models.network import INPUT, Network


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
        before = found[node.sources[0]]
        found[node.address] = None if before is None or len(node.shape) == 1 else _after(network, node, before)
    return found


def _after(network: Network, node: Node, before: Window) -> Window:
    if node.kind == "conv":
        module = network.get_submodule(node.address)
        assert isinstance(module, nn.Conv2d)
        return before.through(module.kernel_size[0], module.stride[0], int(module.padding[0]))
    if node.kind in ("max_pool", "avg_pool"):
        layer = network.layers[int(node.address)]
        return before.through(layer.kernel, layer.step, layer.padding)  # type: ignore[attr-defined]
    return before


def receptive_field(network: Network, address: str, row: int = 0, column: int = 0) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) in pixels, the last two exclusive and all within the image: what the output of an
    operation at a place of its maps depends on. Empty (top = bottom or left = right) where only padding is seen.
    Raises KeyError for an address that is not there."""
    _, height, width = network.input_shape
    window = windows(network)[address]
    if window is None:
        return 0, 0, height, width
    top, left = window.step * row - window.before, window.step * column - window.before
    (top, bottom), (left, right) = _within(top, window.side, height), _within(left, window.side, width)
    return top, left, bottom, right


def _within(first: int, side: int, size: int) -> tuple[int, int]:
    """The part of a window of `side` from `first` on that lies in 0..size: its begin and its end."""
    return min(max(first, 0), size), min(max(first + side, 0), size)
