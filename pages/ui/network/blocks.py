"""The blocks of the editor: one a layer, those inside others within them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Any

from cnn_core.errors import PlaygroundError
from cnn_core.models.building_blocks import building_blocks
from cnn_core.models.doctor import Finding, passing
from cnn_core.models.layers import KINDS, Layer, Shape, layer_kinds, read_layers
from cnn_core.models.split import classifier_start
from cnn_core.models.tree import Layers, Path, children
from cnn_core.recipe import LayerSpec
from pages.ui.frame.words import shape as sizes

TALL, LEAST = 84, 12  # CSS pixels of the face of a block
THIN = ("norms", "activations", "dropout")  # modules whose layers keep the shape
FAMILIES = {
    "convolution": ("Convolutions", "conv"),
    "separable": ("Convolutions", "conv"),
    "pooling": ("Pooling", "pool"),
    "activations": ("Activations", "activation"),
    "norms": ("Norms", "norm"),
    "dropout": ("Dropout", "plain"),
    "dense": ("Rows of numbers", "linear"),
    "composite": ("Groups", "group"),
}


@dataclass(frozen=True)
class Drawn:
    """A network as the editor draws it."""

    layers: Layers
    input_shape: Shape
    classes: int
    findings: Sequence[Finding]
    tiles: Mapping[Path, str]  # path -> image of some of its maps; () is the image that comes in

    def data(self) -> dict[str, Any]:
        """For the component, without what is selected."""
        shapes = passing(self.layers, self.input_shape, self.classes)
        return {
            "blocks": self._list(self.layers, (), shapes),
            "split": classifier_start(self.layers),
            "input": {"sizes": sizes(self.input_shape), "tile": self.tiles.get((), "")},
            "palette": palette(),
        }

    def _list(self, layers: Layers, before: Path, shapes: Mapping[Path, tuple[Shape, Shape]]) -> list[dict[str, Any]]:
        return [self._block(spec, (*before, place), shapes) for place, spec in enumerate(layers)]

    def _block(self, spec: LayerSpec, path: Path, shapes: Mapping[Path, tuple[Shape, Shape]]) -> dict[str, Any]:
        layer, (incoming, outgoing) = _readable(spec), shapes.get(path, ((), ()))
        mine = [finding for finding in self.findings if finding.path == path]
        worst = "error" if any(finding.severity == "error" for finding in mine) else "advice" if mine else ""
        family = _family(spec.kind)
        found: dict[str, Any] = {
            **{"path": _text(path), "kind": spec.kind, "family": FAMILIES.get(family, ("", "plain"))[1]},
            **{
                "short": _short(layer, spec),
                "title": layer.title if layer else spec.kind[:40],
                "detail": layer.detail(self.classes) if layer else "?",
            },
            **{"thin": family in THIN, "sizes": sizes(outgoing) if outgoing else "", "tile": self.tiles.get(path, "")},
            **{"parameters": _parameters(layer, incoming, self.classes), "mark": worst},
            **{"says": " ".join(finding.sentence for finding in mine), **_face(outgoing, self.input_shape)},
        }
        lists = children(spec)
        if lists:
            found["lists"] = [self._list(inside, (*path, which), shapes) for which, inside in enumerate(lists)]
            found["sign"] = f"{spec.parameters.get('times', 2)}×" if spec.kind == "repeat" else _sign(spec)
        return found


def palette() -> list[dict[str, Any]]:
    """Layers that can be added, by family."""
    groups: dict[str, list[dict[str, str]]] = {}
    for kind in layer_kinds.names():
        layer = layer_kinds.get(kind)
        group, colour = FAMILIES.get(_family(kind), ("Others", "plain"))
        groups.setdefault(group, []).append({"name": kind, "title": layer.title, "help": layer.help, "family": colour})
    blocks = [building_blocks.get(name) for name in building_blocks.names()]
    groups["Blocks of known families"] = [
        {"name": f"block {block.name}", "title": block.title, "help": block.help, "family": "group"} for block in blocks
    ]
    order = [title for module in KINDS for title in [FAMILIES.get(_name(module), ("Others", ""))[0]]]
    titles = list(dict.fromkeys([*order, *groups]))
    return [{"title": title, "kinds": groups[title]} for title in titles if title in groups]


def _family(kind: str) -> str:
    return layer_kinds.get(kind).__module__.rpartition(".")[2] if kind in layer_kinds else ""


def _name(module: Any) -> str:
    return str(module.__name__).rpartition(".")[2]


def _sign(spec: LayerSpec) -> str:
    return {"add": "+", "multiply": "×"}.get(str(spec.parameters.get("merge")), "concat")


def _text(path: Path) -> str:
    return ".".join(map(str, path))


SHORT = {
    **{"conv": "Conv", "depthwise": "Depthwise", "pointwise": "Conv", "depthwise_separable": "Separable"},
    **{"max_pool": "Max pool", "avg_pool": "Avg pool", "adaptive_avg_pool": "Avg pool", "global_pool": "Global pool"},
    **{"residual": "Residual", "repeat": "Repeat", "dropout2d": "Dropout 2d"},
}


def _short(layer: Layer | None, spec: LayerSpec) -> str:
    return SHORT.get(spec.kind, layer.title if layer else spec.kind[:20])


def _readable(spec: LayerSpec) -> Layer | None:
    try:
        return read_layers([spec])[0]
    except PlaygroundError:
        return None


def _parameters(layer: Layer | None, incoming: Shape, classes: int) -> int:
    if layer is None or not incoming:
        return 0
    try:
        layer.output_shape(incoming, classes)
        return layer.parameters(incoming, classes)
    except PlaygroundError:
        return 0


def _face(outgoing: Shape, image: Shape) -> dict[str, float]:
    """CSS pixels: height in proportion to the side of the maps, width by the number of them."""
    if len(outgoing) != 3:
        return {"high": round(min(TALL, 10 + 7 * log2(max(outgoing, default=1) + 1))), "wide": 12}
    high = TALL * max(outgoing[1:]) / max(image[1:])
    return {"high": round(min(TALL, max(LEAST, high))), "wide": round(16 + 7 * log2(outgoing[0] + 1))}
