"""The files of one run: weights per epoch, resume state, predictions, and what it takes to rebuild the network."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from safetensors import SafetensorError, safe_open

from cnn_core.errors import PlaygroundError, RunFilesError, UnknownNameError
from cnn_core.into_place import move_into_place
from cnn_core.settings import settings

MISSING_PREDICTIONS = "The predictions of this run are missing from its folder. Train it again to have them."
SNAPSHOT = re.compile(r"epoch-(\d{4,})\.safetensors")


@dataclass(frozen=True)
class Predictions:
    """What the tested weights predict of the test images."""

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

    @property
    def next_best(self) -> Path:
        """Better weights than `best`, until the resume state knows of them: see `settle_best`."""
        return self.path / "next-best.safetensors"

    def snapshot(self, epoch: int) -> Path:
        """Weights at the end of an epoch (1-based; 0 is before training)."""
        return self.path / f"epoch-{epoch:04d}.safetensors"

    def epochs(self) -> list[int]:
        """Epochs whose weights are kept."""
        names = (SNAPSHOT.fullmatch(path.name) for path in self.path.glob("epoch-*.safetensors"))
        return sorted(int(name[1]) for name in names if name)

    def weights(self, epoch: int | None = None, best_epoch: int | None = None) -> Path:
        """File of an epoch's weights, None for the best, and where that file is damaged the snapshot of `best_epoch`.

        Raises RunFilesError for a damaged one, naming intact ones, and PlaygroundError when it is not kept.
        """
        files = [self.best if epoch is None else self.snapshot(epoch)]
        if epoch is None and best_epoch and self.best.exists():
            files.append(self.snapshot(best_epoch))  # the same weights
        if intact := next((path for path in files if is_intact(path)), None):
            return intact
        kept = ", ".join(str(number) for number in self.epochs() if is_intact(self.snapshot(number)))
        if any(path.exists() for path in files):
            which = "best epoch" if epoch is None else f"epoch {epoch}"
            left = (
                f"Choose another epoch: {kept}." if kept else "No other weights of this run are left: train it again."
            )
            raise RunFilesError(f"The file with the weights of the {which} is damaged. {left}")
        raise PlaygroundError(
            f"The weights of epoch {epoch} were not kept; kept are {kept}."
            if epoch is not None and kept
            else "This run has no weights yet: they are written at the end of its first epoch."
        )

    def plan(self) -> dict[str, Any]:
        """What was fixed when training began: classes, shape, mean, std, device, execution, versions.

        Where plan.json is missing or damaged, the copy that every file of weights carries.
        """
        path = self.path / "plan.json"
        try:
            return _plan_of(path.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            for weights in self._all_weights():
                if plan := about(weights).get("plan"):
                    return dict(plan)
        if not path.exists():
            raise PlaygroundError("This run has not started training yet.")
        raise RunFilesError("The file plan.json of this run is damaged: its classes are not known. Train it again.")

    def predictions(self) -> Predictions | None:
        """Predictions on the test images, None until the run was tested. Raises RunFilesError for a damaged file."""
        path = self.path / "predictions.npz"
        if not path.exists():
            return None
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                return Predictions(stored["indices"], stored["labels"], stored["probabilities"])
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            raise RunFilesError(
                "The stored predictions of this run are damaged. Its weights can still be used: "
                "open Feature maps or Classify, or train it again."
            ) from None

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
            move_into_place(temporary, self.path / name)
        except BaseException:
            temporary.unlink(missing_ok=True)  # half a file on a full disk takes the room of a whole one
            raise

    def settle_best(self, epoch: int) -> None:
        """Make `next_best` the best weights if it is of `epoch`, the best one in the resume state; else drop it.

        So the best weights and the resume state never disagree, wherever a process is killed.
        """
        if self.next_best.exists():
            if about(self.next_best).get("epoch") == epoch:
                move_into_place(self.next_best, self.best)
            else:
                self.next_best.unlink()

    def forget_resume(self) -> None:
        """Remove the resume state: three times the weights, and of no use once the run has ended."""
        self.resume.unlink(missing_ok=True)

    def _all_weights(self) -> list[Path]:
        return [self.best, *(self.snapshot(epoch) for epoch in self.epochs())]

    def delete(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def about(weights: Path) -> dict[str, Any]:
    """What `save_weights` wrote into the header of a file of weights; empty where it cannot be read."""
    try:
        with safe_open(weights, framework="numpy") as file:
            return {name: json.loads(value) for name, value in (file.metadata() or {}).items()}
    except (SafetensorError, OSError, ValueError):
        return {}


def is_intact(weights: Path) -> bool:
    """Whether the file is there and as long as its header says."""
    try:
        with safe_open(weights, framework="numpy"):
            return True
    except (SafetensorError, OSError):
        return False


def _plan_of(text: str) -> dict[str, Any]:
    plan = json.loads(text)
    kinds = {"classes": list, "shape": list, "mean": list, "std": list, "dataset_hash": str, "device": str}
    if not isinstance(plan, dict) or not all(isinstance(plan.get(name), kind) for name, kind in kinds.items()):
        raise ValueError("not a plan")
    return plan
