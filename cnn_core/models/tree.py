"""Where a layer stands in a network whose layers may hold others. Needs no torch.

A path is a row of numbers, each 0-based: (4,) is layer 4; (4, 1, 2) is layer 2 of the second list inside layer 4, the
second branch of branches; a repeated group has one list, number 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cnn_core.errors import PlaygroundError
from cnn_core.recipe import LayerSpec

Path = tuple[int, ...]
Layers = tuple[LayerSpec, ...]


def children(spec: LayerSpec) -> tuple[Layers, ...]:
    """The lists of layers inside a layer: one of a repeated group, one for each branch, none of other kinds."""
    if spec.kind == "repeat":
        return (_layers(spec.parameters.get("layers", ())),)
    if spec.kind == "branches":
        return tuple(_layers(branch) for branch in spec.parameters.get("branches", ((), ())))
    return ()


def with_children(spec: LayerSpec, lists: Sequence[Layers]) -> LayerSpec:
    """The same layer with other lists of layers inside."""
    inside = {"layers": lists[0]} if spec.kind == "repeat" else {"branches": lists}
    return LayerSpec(kind=spec.kind, **(spec.parameters | inside))


def _layers(values: Any) -> Layers:
    return tuple(value if isinstance(value, LayerSpec) else LayerSpec.model_validate(value) for value in values)


def at(layers: Layers, path: Path) -> LayerSpec:
    """The layer there. Raises PlaygroundError where there is none."""
    around, place = siblings(layers, path)
    if place >= len(around):
        raise PlaygroundError("There is no such layer in this network any more. Choose another one.")
    return around[place]


def siblings(layers: Layers, path: Path) -> tuple[Layers, int]:
    """The list a path leads into and the place in it, which may be the end. Raises PlaygroundError where there is no
    such list."""
    around = tuple(layers)
    for step in range(0, len(path) - 2, 2):
        place, which = path[step : step + 2]
        lists = children(around[place]) if 0 <= place < len(around) else ()
        if not 0 <= which < len(lists):
            raise PlaygroundError("There is no such layer in this network any more. Choose another one.")
        around = lists[which]
    if len(path) % 2 == 0 or not 0 <= path[-1] <= len(around):
        raise PlaygroundError("There is no such layer in this network any more. Choose another one.")
    return around, path[-1]


def with_siblings(layers: Layers, path: Path, changed: Layers) -> Layers:
    """The network with another list where the last number of a path counts."""
    if len(path) == 1:
        return tuple(changed)
    place, which = path[:2]
    lists = list(children(layers[place]))
    lists[which] = with_siblings(lists[which], path[2:], changed)
    return (*layers[:place], with_children(layers[place], lists), *layers[place + 1 :])


def walk(layers: Layers, before: Path = ()) -> Iterator[tuple[Path, LayerSpec]]:
    """Every layer with its path, one that holds others before those."""
    for place, spec in enumerate(layers):
        path = (*before, place)
        yield path, spec
        for which, inside in enumerate(children(spec)):
            yield from walk(inside, (*path, which))


def path_of(address: str, layers: Layers) -> Path:
    """The path of the layer that the operation at a module's address belongs to: "4.2.0" is, in a repeated group, the
    first layer of the list, the third time."""
    path: Path = ()
    around = tuple(layers)
    numbers = address.split(".")
    while numbers and numbers[0].isdigit():
        place = int(numbers[0])
        path = (*path, place)
        lists = children(around[place])
        if not lists or len(numbers) < 3:
            return path
        which = 0 if around[place].kind == "repeat" else int(numbers[1])
        path, around, numbers = (*path, which), lists[which], numbers[2:]
    return path
