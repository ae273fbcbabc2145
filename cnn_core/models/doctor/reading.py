"""The layers of a network as typed ones, those that cannot be read reported and mended."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from cnn_core.errors import RecipeError
from cnn_core.models.doctor.finding import Finding
from cnn_core.models.doctor.repair import Repair, Replace
from cnn_core.models.layers import Layer, layer_kinds
from cnn_core.models.tree import Layers, Path, children
from cnn_core.recipe import LayerSpec
from cnn_core.spec import parse

LONGEST_NAME = 40  # characters of a stranger's word that are repeated
IDENTITY = LayerSpec(kind="repeat", times=1)  # in the place of a layer that cannot be read


@dataclass(frozen=True)
class Node:
    """A layer that can be read, and where it stands."""

    path: Path
    spec: LayerSpec
    layer: Layer
    lists: tuple[tuple[Node, ...], ...] = ()  # of layers inside it

    @property
    def kind(self) -> str:
        return self.layer.kind


class Reader:
    """Reads a network; what could not be read is in `findings` then."""

    def __init__(self, layers: Layers):
        self.layers = layers
        self.findings: list[Finding] = []

    def nodes(self, specs: Layers, before: Path = ()) -> tuple[Node, ...]:
        return tuple(self._node(spec, (*before, place)) for place, spec in enumerate(specs))

    def _node(self, spec: LayerSpec, path: Path) -> Node:
        if spec.kind not in layer_kinds:
            spec = self._unknown(spec, path)
        kind = layer_kinds.get(spec.kind)
        try:
            layer = kind.model_validate(spec.parameters)
        except ValidationError as error:
            spec = self._mended(spec, path, error.errors())
            layer = layer_kinds.get(spec.kind).model_validate(spec.parameters)
        lists = tuple(self.nodes(inside, (*path, which)) for which, inside in enumerate(children(spec)))
        return Node(path, spec, layer, lists)

    def _unknown(self, spec: LayerSpec, path: Path) -> LayerSpec:
        """What stands there instead."""
        remove = Repair("Remove it", (Replace(path),), self.layers)
        close = _close(spec.kind)
        sentence = f"There is no layer kind called {spec.kind[:LONGEST_NAME]!r}."
        if not close:
            self._report(path, "unknown_kind", f"{sentence} Known: {', '.join(layer_kinds.names())}.", remove)
            return IDENTITY
        known = layer_kinds.get(close[0]).model_fields
        kept = {name: value for name, value in spec.parameters.items() if name in known}
        guess = LayerSpec(kind=close[0], **kept)
        renamed = Repair(f"Make it a {close[0]}", (Replace(path, (guess,)),), self.layers)
        self._report(path, "unknown_kind", f"{sentence} Perhaps {close[0]} is meant.", renamed, remove)
        return guess

    def _mended(self, spec: LayerSpec, path: Path, problems: list[Any]) -> LayerSpec:
        """The layer with its wrong parameters at their limits or defaults."""
        kind = layer_kinds.get(spec.kind)
        remove = Repair("Remove it", (Replace(path),), self.layers)
        values, done = spec.parameters, []
        for name in dict.fromkeys(str(problem["loc"][0]) for problem in problems):
            problem = next(problem for problem in problems if str(problem["loc"][0]) == name)
            values.pop(name)
            if problem["type"] == "extra_forbidden":
                done.append(f"remove {_words(name)}")
                continue
            limits = problem.get("ctx") or {}
            values[name] = limits.get("ge", limits.get("le", kind.model_fields[name].default))
            shown = "the default" if isinstance(values[name], tuple) else str(values[name])
            done.append(f"set {_words(name)} to {shown}")
        mended = LayerSpec(kind=spec.kind, **values)
        title = ", ".join(done)
        repair = Repair(title[0].upper() + title[1:], (Replace(path, (mended,)),), self.layers)
        try:
            parse(kind, spec.parameters, "Its")
        except RecipeError as error:
            self._report(path, "unreadable_parameter", str(error), repair, remove)
        return mended

    def _report(self, path: Path, code: str, sentence: str, *repairs: Repair) -> None:
        self.findings.append(Finding(path, "error", code, sentence, repairs))


@lru_cache(maxsize=256)
def _close(kind: str) -> list[str]:
    return difflib.get_close_matches(kind, layer_kinds.names(), n=1)


def _words(name: str) -> str:
    return name.replace("_", " ")[:LONGEST_NAME]
