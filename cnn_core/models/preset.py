"""What a network to start from is, and the registry of them. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnn_core.recipe import AugmentSpec, LayerSpec, NetworkSpec, TrainingSpec
from cnn_core.registry import Registry
from cnn_core.saved_networks import digest_of, read_saved

Layers = tuple[LayerSpec, ...]


@dataclass(frozen=True)
class NetworkPreset:
    """A named network with the training that suits it."""

    name: str
    title: str
    teaches: str  # one sentence
    source: str  # where it comes from
    layers: Layers
    training: TrainingSpec  # recommended
    image_size: int = 0  # side in pixels its source works at; 0: any
    augment: tuple[AugmentSpec, ...] | None = ()  # after the data set's own steps; None: none at all, not even those
    own_augment: bool = False  # `augment` takes the place of the data set's own steps
    validation_fraction: float = 0.0  # of the images outside the test images; 0: the data set's own split


network_presets: Registry[NetworkPreset] = Registry("network")


def layer(kind: str, **parameters: Any) -> LayerSpec:
    """A layer of a preset, parameters that are not named at the kind's defaults."""
    return LayerSpec(kind=kind, **parameters)


def layers_of(network: NetworkSpec) -> Layers:
    """The network's own layers or, when it has none, its preset's. Raises UnknownNameError."""
    return network.layers or network_presets.get(network.preset).layers


def has_own_layers(network: NetworkSpec) -> bool:
    """Whether a network's layers are written out and are not just its preset's."""
    known = network.preset in network_presets
    return bool(network.layers) and not (known and network.layers == network_presets.get(network.preset).layers)


def is_saved(network: NetworkSpec) -> bool:
    """Whether the layers are those of the saved network that `preset` names, as they were then."""
    saved = read_saved(network.preset)
    return saved is not None and saved.digest == digest_of(network.layers)


def title_of(network: NetworkSpec) -> str:
    """The preset's title or the name of a saved network, or that the layers are a person's own and which of those they
    began as."""
    saved = read_saved(network.preset)
    if saved:
        return saved.name if is_saved(network) else f"Own network (from {saved.name})"
    known = network.preset in network_presets
    title = network_presets.get(network.preset).title if known else network.preset
    if not has_own_layers(network):
        return title or "Own network"
    return f"Own network (from {title})" if title else "Own network"


def add(preset: NetworkPreset) -> None:
    network_presets.add(preset.name, preset)
