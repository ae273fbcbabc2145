"""Weights that come with the playground. Needs no torch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import safe_open

from cnn_core.models.layers import Shape
from cnn_core.recipe import LayerSpec
from cnn_core.registry import Registry

FOLDER = Path(__file__).parent / "packaged_weights"


@dataclass(frozen=True)
class PackagedWeights:
    """A file of weights whose header says what they are."""

    name: str
    title: str
    description: str  # what they learned from, how well, and their licence
    file: Path
    layers: tuple[LayerSpec, ...]
    shape: Shape  # (C, H, W) of the images they learned from
    classes: int


packaged_weights: Registry[PackagedWeights] = Registry("packaged set of weights")


def _read(file: Path) -> PackagedWeights:
    with safe_open(file, framework="numpy") as opened:
        header: dict[str, Any] = {name: json.loads(value) for name, value in (opened.metadata() or {}).items()}
    layers = tuple(LayerSpec.model_validate(layer) for layer in header["layers"])
    shape, classes = tuple(header["shape"]), len(header["classes"])
    return PackagedWeights(file.stem, header["title"], header["description"], file, layers, shape, classes)


for _file in sorted(FOLDER.glob("*.safetensors")):
    packaged_weights.add(_file.stem, _read(_file))
