"""A change of a network that takes a finding away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from cnn_core.models import editing
from cnn_core.models.tree import Layers, Path, siblings
from cnn_core.recipe import LayerSpec


@dataclass(frozen=True)
class Set:
    """Other values of some parameters of a layer."""

    path: Path
    parameters: Mapping[str, object]

    def apply(self, layers: Layers) -> Layers:
        return editing.set_parameters(layers, self.path, **self.parameters)


@dataclass(frozen=True)
class Replace:
    """Other layers in the place of one; without any it is removed."""

    path: Path
    specs: tuple[LayerSpec, ...] = ()

    def apply(self, layers: Layers) -> Layers:
        return editing.replace(layers, self.path, *self.specs)


@dataclass(frozen=True)
class Insert:
    """New layers before the one there, or at the end where there is none."""

    path: Path
    specs: tuple[LayerSpec, ...]

    def apply(self, layers: Layers) -> Layers:
        return editing.insert(layers, self.path, *self.specs)


@dataclass(frozen=True)
class Append:
    """New layers at the end of a list: () is the network's own, (4, 1) the second branch of layer 4."""

    path: Path
    specs: tuple[LayerSpec, ...]

    def apply(self, layers: Layers) -> Layers:
        around, _ = siblings(layers, (*self.path, 0))
        return editing.insert(layers, (*self.path, len(around)), *self.specs)


Edit = Set | Replace | Insert | Append


@dataclass(frozen=True)
class Repair:
    """`edits`, one after the other, make the repaired network of `before`."""

    title: str  # what is done, such as "Set padding to 1"
    edits: tuple[Edit, ...]
    before: Layers = field(repr=False)

    @cached_property
    def layers(self) -> Layers:
        """The whole network, repaired; made when it is first asked for."""
        return self.apply(self.before)

    def apply(self, layers: Layers) -> Layers:
        """The same change of a network that other repairs have changed already. Raises PlaygroundError where a layer it
        changes is not there any more."""
        for edit in self.edits:
            layers = edit.apply(layers)
        return layers
