"""Changes of a network's layers, each a function from layers to layers. Needs no torch.

All raise PlaygroundError for a path that is not there; see `tree` for paths.
"""

from __future__ import annotations

from cnn_core.errors import PlaygroundError
from cnn_core.models.tree import Layers, Path, at, children, siblings, walk, with_siblings
from cnn_core.recipe import LayerSpec


def replace(layers: Layers, path: Path, *specs: LayerSpec) -> Layers:
    """Other layers in the place of one."""
    at(layers, path)
    around, place = siblings(layers, path)
    return with_siblings(layers, path, (*around[:place], *specs, *around[place + 1 :]))


def insert(layers: Layers, path: Path, *specs: LayerSpec) -> Layers:
    """New layers before the one there; a path one past the last adds at the end."""
    around, place = siblings(layers, path)
    return with_siblings(layers, path, (*around[:place], *specs, *around[place:]))


def remove(layers: Layers, path: Path) -> Layers:
    return replace(layers, path)


def duplicate(layers: Layers, path: Path) -> Layers:
    """The same layer once more, after it."""
    return insert(layers, path, at(layers, path))


def set_parameters(layers: Layers, path: Path, **parameters: object) -> Layers:
    """The layer there with other values of some of its parameters."""
    spec = at(layers, path)
    return replace(layers, path, LayerSpec(kind=spec.kind, **(spec.parameters | parameters)))


def move(layers: Layers, path: Path, to: Path) -> tuple[Layers, Path]:
    """A layer moved to stand before the one at `to`, and its path then. Not into itself."""
    spec = at(layers, path)
    if to[: len(path)] == path:
        return layers, path
    siblings(layers, to)
    marked = insert(layers, to, MARK)
    here = next(found for found, layer in walk(marked) if layer is not MARK and found == shifted(path, to))
    without = remove(marked, here)
    there = next(found for found, layer in walk(without) if layer.kind == MARK.kind)
    return replace(without, there, spec), there


MARK = LayerSpec(kind="moved here")


def shifted(path: Path, inserted: Path, count: int = 1) -> Path:
    """A path after `count` layers were inserted at another."""
    level = len(inserted) - 1
    same_list = path[:level] == inserted[:-1] and len(path) > level
    if not same_list or path[level] < inserted[-1]:
        return path
    return (*path[:level], path[level] + count, *path[level + 1 :])


def step(layers: Layers, path: Path, by: int) -> tuple[Layers, Path]:
    """A layer moved `by` -1 or 1 within its list, and its path then; at an end it stays."""
    around, place = siblings(layers, path)
    target = place + by
    if not 0 <= target < len(around):
        return layers, path
    changed = list(around)
    changed[place], changed[target] = changed[target], changed[place]
    return with_siblings(layers, path, tuple(changed)), (*path[:-1], target)


def wrap(layers: Layers, first: Path, last: Path, times: int = 2) -> Layers:
    """Layers from `first` to `last` of one list as a repeated group."""
    around, begin, end = _span(layers, first, last)
    group = LayerSpec(kind="repeat", times=times, layers=around[begin : end + 1])
    return with_siblings(layers, first, (*around[:begin], group, *around[end + 1 :]))


def branch(layers: Layers, first: Path, last: Path, merge: str = "add") -> Layers:
    """Layers from `first` to `last` of one list as one of two branches; the other hands on what comes in."""
    around, begin, end = _span(layers, first, last)
    both = LayerSpec(kind="branches", merge=merge, branches=(around[begin : end + 1], ()))
    return with_siblings(layers, first, (*around[:begin], both, *around[end + 1 :]))


def unwrap(layers: Layers, path: Path) -> Layers:
    """The layers inside a group in its place, once; of branches one branch after the other."""
    spec = at(layers, path)
    inside = children(spec)
    if not inside:
        raise PlaygroundError("This layer holds no others. Choose a repeated group or branches.")
    return replace(layers, path, *(layer for layers_of_one in inside for layer in layers_of_one))


def residual_as_branches(spec: LayerSpec, incoming: int) -> Layers:
    """A residual block that `incoming` maps reach, written out: body and skip as branches that are added, then ReLU."""
    stride = int(spec.parameters.get("stride", 1))
    channels = int(spec.parameters.get("channels", 0)) or incoming

    def conv(**more: int) -> LayerSpec:
        return LayerSpec(kind="conv", channels=channels, bias=False, **more)

    norm, relu = LayerSpec(kind="batch_norm"), LayerSpec(kind="relu")
    body = (conv(stride=stride), norm, relu, conv(), norm)
    skip = (conv(kernel=1, padding=0, stride=stride), norm) if stride > 1 or channels != incoming else ()
    return LayerSpec(kind="branches", merge="add", branches=(body, skip)), relu


def _span(layers: Layers, first: Path, last: Path) -> tuple[Layers, int, int]:
    first, last = sorted((first, last))
    if first[:-1] != last[:-1]:
        raise PlaygroundError("The first and the last layer of a group must stand in one list.")
    at(layers, first), at(layers, last)
    return siblings(layers, first)[0], first[-1], last[-1]
