"""The maps of a network with fresh weights, as small images for its blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st
import torch
from torch import Tensor
from torch.nn import functional as F

from cnn_core.data.dataset import ImageDataset
from cnn_core.inspection.montage import Scale, montage
from cnn_core.inspection.stage.flow import flow
from cnn_core.inspection.stage.graph import SOFTMAX, graph
from cnn_core.models.composite import chain
from cnn_core.models.doctor import Finding
from cnn_core.models.layer import Shape
from cnn_core.models.layers import read_layers
from cnn_core.models.network import INPUT, build
from cnn_core.models.tree import Layers, Path, path_of
from cnn_core.recipe import LayerSpec, Recipe
from pages.ui.frame.images import data_uri

SIDE = 28  # pixels of a map
MAPS = 4  # of a block
NUMBERS = 48  # of a row


def fitting(layers: Layers, findings: Sequence[Finding], shape: Shape, classes: int) -> Layers:
    """The layers before the first that does not fit, with an end that makes a network of them; all where all fit."""
    wrong = [finding for finding in findings if finding.severity == "error"]
    if not wrong:
        return layers
    before = layers[: min((finding.path[0] if finding.path else 0) for finding in wrong)]
    maps = len(chain(read_layers(before), shape, classes)[-1]) == 3
    return (*before, *([LayerSpec(kind="global_pool")] if maps else []), LayerSpec(kind="linear"))


def tiles(recipe: Recipe, layers: Layers, dataset: ImageDataset) -> dict[Path, str]:
    """Path -> some of the maps a layer makes of the first test image, those that vary most; in a
    repeated group those of the last time."""
    written = recipe.network.model_copy(update={"layers": layers}).model_dump_json()
    return _tiles(written, recipe.seed, dataset.content_hash, dataset.shape, layers, dataset)


@st.cache_data(max_entries=64, show_spinner=False)
def _tiles(
    network: str, seed: int, content: str, shape: tuple[int, ...], _layers: Layers, _dataset: ImageDataset
) -> dict[Path, str]:
    image = np.ascontiguousarray(_dataset.images[int(_dataset.splits["test"][0])])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        built = build(_layers, _dataset.shape, len(_dataset.classes), _dataset.mean, _dataset.std).eval()
    nodes = graph(built)
    values = flow(built, torch.from_numpy(image)[None], nodes)
    last = {path_of(node.address, _layers): values[node.address] for node in nodes if node.kind != SOFTMAX}
    del values[INPUT]
    return {path: _tile(output) for path, output in last.items()}


def _tile(output: Tensor) -> str:
    if output.ndim == 1:
        column = output[:NUMBERS].reshape(1, -1, 1)
        return data_uri(montage(column.numpy(), 1, "diverging"), fast=True)
    order = output.flatten(1).std(1).nan_to_num().argsort(descending=True, stable=True)
    maps = output[order[: MAPS if len(output) >= MAPS else 1]]
    if max(maps.shape[1:]) > SIDE:
        maps = F.adaptive_avg_pool2d(maps[None], SIDE)[0]
    scale: Scale = "diverging" if bool((maps < 0).any()) else "sequential"
    return data_uri(montage(maps.numpy(), 2 if len(maps) == MAPS else 1, scale, shared=False), fast=True)
