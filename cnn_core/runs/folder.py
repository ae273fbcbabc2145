"""The files of one run: weights per epoch, resume state, predictions, and what it takes to rebuild the network."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from safetensors import SafetensorError, safe_open

from cnn_core.errors import PlaygroundError, RunFilesError
from cnn_core.runs.files import LocalRunFiles, RunFiles

MISSING_PREDICTIONS = "The predictions of this run are missing from its folder. Train it again to have them."
PLAN, PREDICTIONS = "plan.json", "predictions.npz"
RESUME = "resume.pt"  # all that is needed to go on: written at each epoch and at least every 30 s
BEST = "best.safetensors"  # weights of the epoch with the lowest validation loss
NEXT_BEST = "next-best.safetensors"  # better weights than those, until the resume state knows of them
SNAPSHOT = re.compile(r"epoch-(\d{4,})\.safetensors")


def snapshot(epoch: int) -> str:
    """The file of the weights at the end of an epoch (1-based; 0 is before training)."""
    return f"epoch-{epoch:04d}.safetensors"


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
    """What the files of one run hold, and how it is read and written."""

    def __init__(self, run_id: str):
        self.files: RunFiles = LocalRunFiles(run_id)

    def has(self, name: str) -> bool:
        return self.files.version(name) is not None

    def epochs(self) -> list[int]:
        """Epochs whose weights are kept."""
        names = (SNAPSHOT.fullmatch(name) for name in self.files.names())
        return sorted(int(name[1]) for name in names if name)

    def weights(self, epoch: int | None = None, best_epoch: int | None = None) -> Path:
        """File of an epoch's weights, None for the best, and where that file is damaged the snapshot of `best_epoch`.

        Raises RunFilesError for a damaged one, naming intact ones, and PlaygroundError when it is not kept.
        """
        return self.files.open(self._weights(epoch, best_epoch))

    def weights_version(self, epoch: int | None = None, best_epoch: int | None = None) -> str:
        """Text that is another one once those weights have been written again. Raises as `weights`."""
        return self.files.version(self._weights(epoch, best_epoch)) or ""

    def _weights(self, epoch: int | None, best_epoch: int | None) -> str:
        names = [BEST if epoch is None else snapshot(epoch)]
        if epoch is None and best_epoch and self.has(BEST):
            names.append(snapshot(best_epoch))  # the same weights
        if intact := next((name for name in names if self._is_intact(name)), None):
            return intact
        kept = ", ".join(str(number) for number in self.epochs() if self._is_intact(snapshot(number)))
        if any(map(self.has, names)):
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

    def _is_intact(self, name: str) -> bool:
        """Whether the file is there and as long as its header says."""
        try:
            with safe_open(self.files.open(name), framework="numpy"):
                return True
        except (SafetensorError, OSError):
            return False

    def about(self, name: str) -> dict[str, Any]:
        """What `save_weights` wrote into the header of a file of weights; empty where it cannot be read."""
        try:
            with safe_open(self.files.open(name), framework="numpy") as file:
                return {name: json.loads(value) for name, value in (file.metadata() or {}).items()}
        except (SafetensorError, OSError, ValueError):
            return {}

    def plan(self) -> dict[str, Any]:
        """What was fixed when training began: classes, shape, mean, std, device, execution, versions.

        Where plan.json is missing or damaged, the copy that every file of weights carries.
        """
        try:
            return _plan_of(self.files.open(PLAN).read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            for name in [BEST, *map(snapshot, self.epochs())]:
                if plan := self.about(name).get("plan"):
                    return dict(plan)
        if not self.has(PLAN):
            raise PlaygroundError("This run has not started training yet.")
        raise RunFilesError("The file plan.json of this run is damaged: its classes are not known. Train it again.")

    def predictions(self) -> Predictions | None:
        """Predictions on the test images, None until the run was tested. Raises RunFilesError for a damaged file."""
        if not self.has(PREDICTIONS):
            return None
        try:
            with self.files.open(PREDICTIONS).open("rb") as file, np.load(file, allow_pickle=False) as stored:
                return Predictions(stored["indices"], stored["labels"], stored["probabilities"])
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            raise RunFilesError(
                "The stored predictions of this run are damaged. Its weights can still be used: "
                "open Inside or Classify, or train it again."
            ) from None

    def write_plan(self, plan: dict[str, Any]) -> None:
        self.files.put(PLAN, lambda path: path.write_text(json.dumps(plan, indent=2)))

    def write_predictions(self, predictions: Predictions) -> None:
        def save(path: Path) -> None:
            with path.open("wb") as file:
                np.savez(file, **vars(predictions))

        self.files.put(PREDICTIONS, save)

    def settle_best(self, epoch: int) -> None:
        """Make the next best weights the best if they are of `epoch`, the best one in the resume state; else drop them.

        So the best weights and the resume state never disagree, wherever a process is killed.
        """
        if self.about(NEXT_BEST).get("epoch") == epoch:
            self.files.rename(NEXT_BEST, BEST)
        else:
            self.files.delete(NEXT_BEST)

    def forget_resume(self) -> None:
        """Remove the resume state: three times the weights, and of no use once the run has ended."""
        self.files.delete(RESUME)

    def delete(self) -> None:
        self.files.delete()


def _plan_of(text: str) -> dict[str, Any]:
    plan = json.loads(text)
    kinds = {"classes": list, "shape": list, "mean": list, "std": list, "dataset_hash": str, "device": str}
    if not isinstance(plan, dict) or not all(isinstance(plan.get(name), kind) for name, kind in kinds.items()):
        raise ValueError("not a plan")
    return plan
