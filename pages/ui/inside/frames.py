"""What the stage is fed with: a run at one epoch at work on one image; shared by all sessions, and loads torch."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from PIL import Image

from cnn_core.data.dataset import ImageDataset
from cnn_core.errors import PlaygroundError
from cnn_core.inference import Classifier
from cnn_core.inspection.stage.arithmetic import arithmetic
from cnn_core.inspection.stage.choice import Choice
from cnn_core.inspection.stage.frame import choice_of, every_map, frame, look
from cnn_core.inspection.stage.graph import SOFTMAX
from cnn_core.inspection.stage.packing import pack
from cnn_core.recipe import Recipe
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store
from cnn_core.runs.tables import Run
from cnn_core.training.starting_network import starting_network
from pages.ui.charts.curves import Record, curves
from pages.ui.data import datasets
from pages.ui.inside.measures import measures
from pages.ui.understand.classifiers import open_classifier

IMAGE_SIDE = 112  # pixels: a larger image is scaled down for the stage
LIVE = "live"
EVERY_MAP = -1  # as the unit that is opened: all maps of the layer


@dataclass(frozen=True)
class Subject:
    """The image on the stage."""

    image: NDArray[np.uint8]  # (C, H, W), as the network takes it
    label: int | None  # the true class where it is known

    @property
    def key(self) -> str:
        return hashlib.sha1(self.image.tobytes()).hexdigest()[:16]


def epochs_of(run: Run) -> list[int]:
    """Epochs that can be looked at: those whose weights are kept, and the best."""
    return sorted({*RunFolder(run.id).epochs(), *([run.best_epoch] if run.best_epoch else [])})


def weights_of(run: Run, epoch: int) -> int | None:
    """An epoch as `open_classifier` takes it: None is the best, whose weights are kept twice."""
    return None if epoch == run.best_epoch else epoch


def payload(
    run: Run,
    epoch: int,
    subject: Subject,
    dataset: ImageDataset | None,
    opened: tuple[str, int] | None = None,
    blocks: Collection[str] = (),
) -> dict[str, Any]:
    """One frame for `component.feed`. Raises PlaygroundError where the weights cannot be read."""
    kept = weights_of(run, epoch)
    network = open_classifier(run, kept)
    version = RunFolder(run.id).weights_version(kept, run.best_epoch)
    packed, probabilities, shown = _frame(
        run.id, epoch, version, subject.key, tuple(sorted(blocks)), run, subject, network
    )
    measured = measures(run, epoch, version, network, dataset)
    return _head(run.id, subject, network, probabilities, shown) | {
        **{"epoch": epoch, "epochs": [*epochs_of(run), *([LIVE] if run.status == "running" else [])]},
        **{"best": run.best_epoch, "curve": _curve(run.id, run.step)},
        **{"frame": packed, "measures": measured, "note": _note(run, epoch, measured), "live": None},
        "close": _close(network, subject, opened),
    }


def live_payload(
    run: Run,
    network: Classifier,
    version: str,
    subject: Subject,
    position: Mapping[str, Any],
    health: Mapping[str, Any],
    opened: tuple[str, int] | None = None,
    blocks: Collection[str] = (),
) -> dict[str, Any]:
    """The same of the weights a run has while it is trained. `position`: epoch and step."""
    packed, probabilities, shown = _frame(
        run.id, -1, version, subject.key, tuple(sorted(blocks)), run, subject, network
    )
    return _head(run.id, subject, network, probabilities, shown) | {
        **{"epoch": LIVE, "epochs": [*epochs_of(run), LIVE], "best": run.best_epoch, "curve": _curve(run.id, run.step)},
        **{"frame": packed, "measures": None, "note": "", "live": dict(position), "health": dict(health)},
        "close": _close(network, subject, opened),
    }


def fresh_payload(recipe: Recipe) -> dict[str, Any]:
    """The network of a recipe before it has learned anything, at work on the first test image of its data set."""
    network, subject = _fresh(recipe.model_dump_json(), recipe)
    seen = look(network.network, network.tensor(subject.image[None]))
    choice = choice_of(seen, subject.label)
    found = frame(seen, choice)
    content = np.frombuffer(pack(found | {"image": _small(subject.image)}), np.uint8)
    return _head("fresh", subject, network, found["probabilities"], choice[SOFTMAX]) | {
        **{"epoch": 0, "epochs": [0], "best": None, "curve": [], "frame": content},
        **{"measures": None, "note": "", "live": None, "close": None},
    }


@st.cache_resource(max_entries=2, show_spinner=False)
def _fresh(recipe: str, _recipe: Recipe) -> tuple[Classifier, Subject]:
    dataset = datasets.of_recipe(_recipe)
    with torch.random.fork_rng(devices=[]):
        network, _ = starting_network(_recipe, dataset, None)
    image = int(dataset.splits["test"][0])
    subject = Subject(np.ascontiguousarray(dataset.images[image]), int(dataset.labels[image]))
    return Classifier(network.eval(), tuple(dataset.classes), dataset.shape), subject


def _head(
    run_id: str, subject: Subject, network: Classifier, probabilities: NDArray[np.float32], shown: Sequence[int]
) -> dict[str, Any]:
    predicted = int(np.nan_to_num(probabilities).argmax())
    few = range(len(network.classes)) if len(network.classes) <= 64 else ()
    named = {*shown, predicted, *few, *([] if subject.label is None else [subject.label])}
    return {
        "key": f"{run_id}:{subject.key}",
        "names": {number: network.classes[number] for number in sorted(named)},
        "predicted": predicted,
        "truth": subject.label,
    }


@st.cache_data(max_entries=400, show_spinner=False)
def _frame(
    run_id: str,
    epoch: int,
    version: str,
    image: str,
    blocks: tuple[str, ...],
    _run: Run,
    _subject: Subject,
    _network: Classifier,
) -> tuple[NDArray[np.uint8], NDArray[np.float32], list[int]]:
    """The packed frame, the probabilities and the classes that are shown. One computation serves all who look."""
    seen = look(_network.network, _network.tensor(_subject.image[None]))
    choice = _choice(run_id, image, _run, _subject, _network)
    found = frame(seen, choice, blocks)
    content = found | {"image": _small(_subject.image)}
    packed = np.frombuffer(pack(content), np.uint8)
    return packed, np.asarray(found["probabilities"], np.float32), list(choice[SOFTMAX])


@st.cache_resource(max_entries=400, show_spinner=False)
def _choice(run_id: str, image: str, _run: Run, _subject: Subject, _network: Classifier) -> Choice:
    """Which maps are shown: by the best weights there were when the image was first looked at, else by the present."""
    network = _network
    with suppress(PlaygroundError):  # it has no best weights yet
        network = open_classifier(_run, None)
    return choice_of(look(network.network, network.tensor(_subject.image[None])), _subject.label)


def _close(network: Classifier, subject: Subject, opened: tuple[str, int] | None) -> dict[str, Any] | None:
    """The arithmetic of what is opened. What is not there is answered with None: it comes from a browser."""
    if opened is None:
        return None
    address, unit = opened
    seen = look(network.network, network.tensor(subject.image[None]))
    with suppress(PlaygroundError):
        if unit != EVERY_MAP:
            return arithmetic(seen, address, unit)
        return {"address": address, "unit": unit, "every": every_map(seen, address)}
    return None


@st.cache_data(max_entries=64, show_spinner=False)
def _curve(run_id: str, step: int) -> list[list[float]]:
    """Validation accuracy epoch by epoch."""
    return [list(point) for point in curves(Record(store().metrics(run_id)), "accuracy")[2]]


def _note(run: Run, epoch: int, measured: dict[str, Any] | None) -> str:
    found = next((value for at, value in _curve(run.id, run.step) if at == epoch), None)
    if found is not None:
        return f"validation {found:.1%}"
    return f"validation {measured['accuracy']:.1%}" if measured else "before training" * (epoch == 0)


def _small(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image for the browser, scaled down where it is large."""
    _, height, width = image.shape
    if max(height, width) <= IMAGE_SIDE:
        return image
    size = (IMAGE_SIDE * width // max(height, width), IMAGE_SIDE * height // max(height, width))
    planes = [np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BOX)) for plane in image]
    return np.stack(planes)
