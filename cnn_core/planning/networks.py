"""All networks to start from: the presets, and those that people of this installation saved. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from cnn_core.errors import RecipeError, TakenNameError, UnknownNameError
from cnn_core.models.layers import read_layers
from cnn_core.models.presets import Layers, NetworkPreset, network_presets
from cnn_core.planning.recipe import starting_recipe
from cnn_core.recipe import LayerSpec, NetworkSpec, Recipe, TrainingSpec
from cnn_core.runs.networks import networks
from cnn_core.runs.tables import Network
from cnn_core.saved_networks import SavedName, read_saved

NOBODY = "somebody"  # who saved a network without saying who


@dataclass(frozen=True)
class Offered:
    """A network to start from."""

    key: str  # what a recipe's `network.preset` names it by
    title: str
    teaches: str  # one sentence, may be ""
    owner: str  # who saved it, "" for a preset
    image_size: int  # side in pixels of the images it is meant for; 0: any
    training: TrainingSpec | None  # recommended; None for a saved one
    saved_id: int = 0  # of a saved one

    @cached_property
    def layers(self) -> Layers:
        """Of a saved one read when asked for: raises UnknownNameError where it was deleted since."""
        return networks().get(self.saved_id).layers if self.saved_id else network_presets.get(self.key).layers


def offered() -> list[Offered]:
    """The presets in their order, then the saved networks by name."""
    return [_preset(preset) for preset in network_presets] + saved()


def saved() -> list[Offered]:
    """The saved networks by name."""
    return [_saved(network) for network in networks().all()]


def find(key: str) -> Offered:
    """What is offered under a key. Raises UnknownNameError."""
    wanted = read_saved(key)
    if wanted is None:
        return _preset(network_presets.get(key))
    found = next((network for network in saved() if network.key == key), None)
    if found is None:
        raise UnknownNameError(
            f"There is no saved network {wanted.name} any more: it was changed, renamed or deleted. Choose another."
        )
    return found


def recipe_for(dataset: str, network: str) -> Recipe:
    """As `starting_recipe`, where the network may also be a saved one, by its name. Raises UnknownNameError."""
    if network in network_presets:
        return starting_recipe(dataset, network)
    mine = next((other for other in saved() if other.title.casefold() == network.casefold()), None)
    if mine is None:
        return starting_recipe(dataset, network)
    recipe = starting_recipe(dataset)
    data = recipe.data.model_copy(update={"image_size": mine.image_size})
    return recipe.model_copy(update={"network": NetworkSpec(preset=mine.key, layers=mine.layers), "data": data})


def save(name: str, layers: Sequence[LayerSpec], *, owner: str = "", image_size: int = 0, teaches: str = "") -> Offered:
    """Save a network for everybody on this installation. What its layers are is checked, not whether they fit together.

    Raises TakenNameError for a name that another network or a preset has, PlaygroundError for what cannot be saved.
    """
    _check(layers)
    _require_no_preset(name)
    number = networks().save(name, layers, owner=owner, image_size=image_size, teaches=teaches)
    return _saved(networks().get(number))


def replace(saved_id: int, layers: Sequence[LayerSpec], image_size: int = 0) -> Offered:
    """Other layers for a saved network. Raises UnknownNameError for one that is gone."""
    _check(layers)
    networks().replace(saved_id, layers, image_size)
    return _saved(networks().get(saved_id))


def rename(saved_id: int, name: str) -> Offered:
    """Raises as `save` does."""
    _require_no_preset(name)
    networks().rename(saved_id, name)
    return _saved(networks().get(saved_id))


def delete(saved_id: int) -> None:
    """Runs that used it keep their layers."""
    networks().delete(saved_id)


def _preset(preset: NetworkPreset) -> Offered:
    return Offered(preset.name, preset.title, preset.teaches, "", preset.image_size, preset.training)


def _saved(network: Network) -> Offered:
    key, owner = str(SavedName(network.name, network.digest)), network.owner or NOBODY
    return Offered(key, network.name, network.teaches, owner, network.image_size, None, network.id)


def _check(layers: Sequence[LayerSpec]) -> None:
    if not layers:
        raise RecipeError("A network without layers cannot be saved. Add a layer first.")
    read_layers(layers)


def _require_no_preset(name: str) -> None:
    """Both stand in one list."""
    wanted = " ".join(name.split()).casefold()
    if any(wanted in (preset.title.casefold(), preset.name) for preset in network_presets):
        raise TakenNameError(f"There is a preset called {' '.join(name.split())[:80]} already. Choose another name.", 0)
