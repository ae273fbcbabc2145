"""The files of one run: weights per epoch, resume state, predictions, and what it takes to rebuild the network."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnn_core.errors import PlaygroundError, UnknownNameError
from cnn_core.settings import settings


@dataclass(frozen=True)
class Predictions:
    """What the tested weights said of the test images."""

    indices: np.ndarray  # int64 (N,), positions in the data set
    labels: np.ndarray  # int64 (N,), the true classes
    probabilities: np.ndarray  # float32 (N, classes), softmax of the logits

    @property
    def predicted(self) -> np.ndarray:
        """int64 (N,): the most probable class."""
        return self.probabilities.argmax(axis=1)


class RunFolder:
    """Paths and readers; the folder is made by the first write."""

    def __init__(self, run_id: str):
        if not re.fullmatch(r"[0-9a-f]{8}", run_id):
            raise UnknownNameError(f"{run_id!r} is not a run's id: eight characters out of 0-9 and a-f.")
        self.path = settings().runs / run_id

    @property
    def resume(self) -> Path:
        """Everything needed to go on: written atomically at each epoch and at least every 30 s."""
        return self.path / "resume.pt"

    @property
    def best(self) -> Path:
        """Weights of the epoch with the lowest validation loss."""
        return self.path / "best.safetensors"

    def snapshot(self, epoch: int) -> Path:
        """Weights at the end of an epoch (1-based; 0 is before training)."""
        return self.path / f"epoch-{epoch:04d}.safetensors"

    def epochs(self) -> list[int]:
        """Epochs whose weights are kept."""
        return sorted(int(path.stem.split("-")[1]) for path in self.path.glob("epoch-*.safetensors"))

    def weights(self, epoch: int | None = None) -> Path:
        """File of an epoch's weights, None for the best. Raises PlaygroundError when it is not kept."""
        path = self.best if epoch is None else self.snapshot(epoch)
        if not path.exists():
            kept = ", ".join(map(str, self.epochs()))
            raise PlaygroundError(
                f"The weights of epoch {epoch} were not kept; kept are {kept}."
                if epoch is not None and kept
                else "This run has no weights yet: they are written at the end of its first epoch."
            )
        return path

    def plan(self) -> dict[str, Any]:
        """What was fixed when training began: classes, shape, mean, std, device, execution, versions."""
        path = self.path / "plan.json"
        if not path.exists():
            raise PlaygroundError("This run has not started training yet.")
        return json.loads(path.read_text())

    def predictions(self) -> Predictions | None:
        """Predictions on the test images, None until the run was tested."""
        path = self.path / "predictions.npz"
        if not path.exists():
            return None
        with np.load(path, allow_pickle=False) as stored:
            return Predictions(stored["indices"], stored["labels"], stored["probabilities"])

    def write_plan(self, plan: dict[str, Any]) -> None:
        self.write("plan.json", lambda path: path.write_text(json.dumps(plan, indent=2)))

    def write_predictions(self, predictions: Predictions) -> None:
        def save(path: Path) -> None:
            with path.open("wb") as file:
                np.savez(file, **vars(predictions))

        self.write("predictions.npz", save)

    def write(self, name: str, save: Callable[[Path], Any]) -> None:
        """Call `save` on a temporary path and move the result into place: a reader never sees half a file."""
        self.path.mkdir(parents=True, exist_ok=True)
        temporary = self.path / f".{name}.part"
        try:
            save(temporary)
            temporary.replace(self.path / name)
        except BaseException:
            temporary.unlink(missing_ok=True)  # half a file on a full disk takes the room of a whole one
            raise

    def delete(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
