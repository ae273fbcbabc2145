"""Where the weights come from that a network begins with, and how much of it they fit. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cnn_core.errors import PlaygroundError, RecipeError
from cnn_core.models.layers import Shape
from cnn_core.models.packaged import packaged_weights
from cnn_core.models.presets import layers_of
from cnn_core.models.summary import LayerSummary, summarise
from cnn_core.recipe import LayerSpec
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store
from cnn_core.starting_weights import StartingWeights, read_start


@dataclass(frozen=True)
class WeightSource:
    """Weights of a network that has learned: their file, and what the network was built for."""

    file: Path
    layers: tuple[LayerSpec, ...]
    shape: Shape  # (C, H, W)
    classes: int


def source_of(start: StartingWeights) -> WeightSource | None:
    """None for fresh weights. Raises PlaygroundError for weights that are not there."""
    if start.source == "fresh":
        return None
    if start.source == "packaged":
        packaged = packaged_weights.get(start.name)
        return WeightSource(packaged.file, packaged.layers, packaged.shape, packaged.classes)
    run, folder = store().get(start.name), RunFolder(start.name)
    file, plan = folder.weights(start.epoch, run.best_epoch), folder.plan()
    return WeightSource(file, layers_of(run.recipe.network), tuple(plan["shape"]), len(plan["classes"]))


def file_of(start: str) -> Path | None:
    """The file of the weights that a recipe names, None for fresh ones. Raises PlaygroundError."""
    source = source_of(read_start(start))
    return source.file if source else None


def pinned(start: str) -> str:
    """With the epoch that is the best one of the run now: it names the same weights from then on."""
    weights = read_start(start)
    if weights.source != "run" or weights.epoch is not None:
        return start
    return str(StartingWeights("run", weights.name, store().get(weights.name).best_epoch))


def table_of(source: WeightSource) -> list[LayerSummary]:
    return summarise(source.layers, source.shape, source.classes)


def fitting(ours: Sequence[LayerSummary], theirs: Sequence[LayerSummary]) -> list[int]:
    """Positions of the layers that learn and whose weights are of the same kind and number in another network."""
    pairs = zip(ours, theirs, strict=False)
    return [a.position for a, b in pairs if a.parameters and (a.kind, a.parameters) == (b.kind, b.parameters)]


def check_start(start: str, table: Sequence[LayerSummary]) -> None:
    """Raises RecipeError where the weights are not there, or fit no layer of a network with this table."""
    try:
        source = source_of(read_start(start))
    except RecipeError:
        raise
    except PlaygroundError as error:
        raise RecipeError(f"network.start: {error}") from None
    if source and not fitting(table, table_of(source)):
        raise RecipeError(
            f"network.start: no layer of this network has the shape of one of {start}. "
            "Choose the network those weights belong to, or fresh weights."
        )
