"""What is fixed when training begins, for the run's folder and the header of its weights."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import torch

from cnn_core.data.dataset import ImageDataset
from cnn_core.recipe import Recipe
from cnn_core.runs.folder import RESUME, RunFolder
from cnn_core.training.execution import Execution
from cnn_core.training.hardware import device_name


def plan_of(
    recipe: Recipe,
    dataset: ImageDataset,
    device: torch.device,
    execution: Execution,
    fresh: Sequence[str],
    features: Mapping[str, Any],
) -> dict[str, Any]:
    """Images, classes, normalisation, starting weights (`fresh`: parameters that are not from them), device, how it is
    computed, features that are computed once (`Feed.record`), and versions."""
    return {
        "dataset": dataset.name,
        "dataset_hash": dataset.content_hash,
        "classes": list(dataset.classes),
        "shape": list(dataset.shape),
        "mean": list(dataset.mean),
        "std": list(dataset.std),
        "fit": dataset.fit,
        "start": recipe.network.start,
        "fresh": list(fresh),
        "device": str(device),
        "device_name": device_name(device),
        "execution": asdict(execution),
        "features": dict(features),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
    }


def other_images(folder: RunFolder, dataset: ImageDataset) -> str:
    """Why a run cannot go on with the images that are here now; empty when they are those it began with."""
    if not folder.has(RESUME) or folder.plan()["dataset_hash"] == dataset.content_hash:
        return ""
    return (
        f"The images of the data set {dataset.name} are not those this run began with. It can go on, or be tested, "
        "when they are back. Its weights are kept: open Inside or Classify."
    )
