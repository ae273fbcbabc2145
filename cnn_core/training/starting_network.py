"""The network of a recipe as training begins with it."""

from __future__ import annotations

from pathlib import Path

import torch

from cnn_core.data.dataset import ImageDataset
from cnn_core.errors import RecipeError
from cnn_core.models.network import Network, build
from cnn_core.models.operations import frozen
from cnn_core.models.weights import take_fitting
from cnn_core.recipe import Recipe


def starting_network(recipe: Recipe, dataset: ImageDataset, start: Path | None) -> tuple[Network, list[str]]:
    """The network on the CPU, with weights drawn from the recipe's seed, or those of the file `start` where they fit;
    frozen as the recipe says. And the names of the parameters that are fresh.

    Sets the seed of torch's global random state. Raises RecipeError where none of the weights fits, and RunFilesError
    for a damaged file.
    """
    torch.manual_seed(recipe.seed)
    network = build(recipe.network.layers, dataset.shape, len(dataset.classes), dataset.mean, dataset.std)
    names = [name for name, _ in network.named_parameters()]
    fresh = take_fitting(network, start) if start else names
    if start and len(fresh) == len(names):
        raise RecipeError(f"network.start: {recipe.network.start} has no weights that fit this network.")
    network.freeze(frozen(network.operations, recipe.network.rates))
    return network, fresh
