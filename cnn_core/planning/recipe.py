"""From choices to a runnable recipe, checked before any training starts. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence

from cnn_core.data.augmentation.steps import read_steps
from cnn_core.data.catalogue.registry import dataset_sources
from cnn_core.data.sources.source import DatasetSource
from cnn_core.errors import RecipeError
from cnn_core.models.layers import Shape, read_layers
from cnn_core.models.operations import covers, factor_of, operations
from cnn_core.models.presets import NetworkPreset, layers_of, network_presets
from cnn_core.models.summary import LayerSummary, summarise
from cnn_core.planning.weights import check_start, pinned
from cnn_core.recipe import AugmentSpec, DataSpec, LayerRate, LayerSpec, NetworkSpec, Recipe

MOST_NAMED = 40  # parts of a network in a sentence


def starting_recipe(dataset: str = "fashion_mnist_sample", network: str = "compact_resnet") -> Recipe:
    """The recommended run of a network on a data set: its training, and augmentations that keep the labels true.

    Raises UnknownNameError, listing the known names.
    """
    source, preset = dataset_sources.get(dataset), network_presets.get(network)
    return Recipe(
        data=DataSpec(dataset=dataset, image_size=preset.image_size, validation_fraction=preset.validation_fraction),
        augment=_augmentation(source, preset),
        network=NetworkSpec(preset=network),
        training=preset.training,
    )


def _augmentation(source: DatasetSource, preset: NetworkPreset) -> tuple[AugmentSpec, ...]:
    """The preset's steps with the data set's own, or alone; then without a flip where the data set's own steps have
    none: a mirrored digit is no digit."""
    if preset.augment is None:
        return ()
    if not preset.own_augment:
        return source.augment + preset.augment
    mirrors = not source.augment or any(step.kind == "horizontal_flip" for step in source.augment)
    return tuple(step for step in preset.augment if mirrors or step.kind != "horizontal_flip")


def input_of(recipe: Recipe) -> tuple[tuple[int, int, int], int]:
    """Shape (C, H, W) of the images a recipe feeds its network, and the number of classes."""
    source = dataset_sources.get(recipe.data.dataset)
    size = recipe.data.image_size or source.size
    return (source.channels, size, size), source.classes


def check(recipe: Recipe) -> Recipe:
    """The recipe with its network's layers and the epoch of its starting weights written out.

    Raises a PlaygroundError that says what cannot work.
    """
    return checked(recipe)[0]


def checked(recipe: Recipe) -> tuple[Recipe, list[LayerSummary]]:
    """As `check`, with the network's table."""
    layers = layers_of(recipe.network)
    shape, classes = input_of(recipe)
    table = summarise(layers, shape, classes)
    if not any(row.parameters for row in table):
        raise RecipeError("The network has no weights to learn. Add a convolution or a linear layer.")
    read_steps(recipe.augment)
    if recipe.network.rates:
        _check_rates(layers, shape, classes, recipe.network.rates)
    check_start(recipe.network.start, table)
    network = recipe.network.model_copy(update={"layers": layers, "start": pinned(recipe.network.start)})
    return recipe.model_copy(update={"network": network}), table


def _check_rates(layers: Sequence[LayerSpec], shape: Shape, classes: int, rates: Sequence[LayerRate]) -> None:
    """Raises RecipeError where a rate is for nothing, or everything is frozen."""
    parts = [operation.address for operation in operations(read_layers(layers), shape, classes)]
    for rate in rates:
        if not any(covers(rate.address, part) for part in parts):
            known = ", ".join(parts[:MOST_NAMED]) + (" …" if len(parts) > MOST_NAMED else "")
            raise RecipeError(f"network.rates: the network has no part {rate.address[:40]!r}. Its parts: {known}.")
    if all(factor_of(part, rates) == 0 for part in parts):
        raise RecipeError("network.rates: every part of the network is frozen. Let at least one of them learn.")
