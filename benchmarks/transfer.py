"""Training a new last layer on EfficientNet-Lite0, whose layers are frozen: seconds of whole runs."""

from __future__ import annotations

import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from torch import nn

from benchmarks.row import Row, at_most
from cnn_core.data.augmentation.presets import augment_presets
from cnn_core.data.dataset import ImageDataset
from cnn_core.models.layer import Layer, Shape, layer_kinds, require_maps
from cnn_core.recipe import Recipe
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store
from cnn_core.training.session import TrainingSession
from tests.photographs import TEN, TWO, photographs

SIDE, EPOCHS, WORKER = 224, 20, "benchmark"
CASES = {  # photographs -> classes, images of each class, target in seconds
    "2 classes of 20 photographs": (TWO, {"train": 20, "validation": 5, "test": 5}, 20),
    "1,000 photographs": (TEN, {"train": 70, "validation": 15, "test": 15}, 120),
}


class StandIn(Layer):
    """The layers of EfficientNet-Lite0 without its classifier, of timm and with fresh weights: they take as long."""

    kind: ClassVar[str] = "efficientnet_lite0"
    title: ClassVar[str] = "EfficientNet-Lite0"
    help: ClassVar[str] = "For the time it takes."

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        require_maps(shape)
        return (1280,)

    def parameters(self, shape: Shape, classes: int) -> int:
        return 3_371_024

    def build(self, shape: Shape, classes: int) -> nn.Module:
        import timm

        return timm.create_model("efficientnet_lite0", num_classes=0)


def transfer_rows() -> list[Row]:
    if find_spec("timm") is None:
        print("transfer is left out: pip install timm")
        return []
    if StandIn.kind not in layer_kinds:
        layer_kinds.add(StandIn.kind, StandIn)
    with tempfile.TemporaryDirectory() as folder:
        return [_row(name, Path(folder), augment) for name in CASES for augment in ("", "photographs")]


def _row(name: str, folder: Path, augment: str) -> Row:
    classes, counts, target = CASES[name]
    dataset = photographs(folder / f"{len(classes)} classes {augment}", classes, counts, SIDE)
    seconds, features, variants = _train(dataset, augment)
    note = f"{features:.3g} s of it for features" + (f", {variants} variants of each image" if augment else "")
    how = "augmented" if augment else "plain"
    return at_most(f"network: transfer, {name} of {SIDE}×{SIDE}, {EPOCHS} epochs, {how}", [seconds], target, "s", note)


def _train(dataset: ImageDataset, augment: str) -> tuple[float, float, int]:
    """Seconds of a whole run, its test included, and of its features; variants of each image."""
    steps = augment_presets.get(augment).steps if augment else ()
    layers = [{"kind": StandIn.kind}, {"kind": "dropout", "probability": 0.2}, {"kind": "linear"}]
    recipe = Recipe.model_validate(
        {
            "augment": [step.model_dump() for step in steps],
            "network": {"preset": "", "layers": layers, "rates": [{"address": "0", "factor": 0}]},
            "training": {"epochs": EPOCHS, "batch_size": 32},
        }
    )
    folder = RunFolder(store().create(recipe, "transfer", WORKER))
    began = time.perf_counter()
    for event in TrainingSession(recipe, dataset, folder, "cpu").run():
        store().record(folder.files.folder.name, WORKER, event)  # type: ignore[attr-defined]
    seconds = time.perf_counter() - began
    record = folder.plan()["features"]
    return seconds, record["seconds"], record["variants"]
