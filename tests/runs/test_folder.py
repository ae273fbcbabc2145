import errno
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from cnn_core.errors import PlaygroundError, UnknownNameError
from cnn_core.runs.folder import Predictions, RunFolder, snapshot


@pytest.mark.parametrize("name", ["", "..", "../../etc", "abc", "ABCDEF12", "0123456\n", "012345678", "0123456/"])
def test_only_ids_become_paths(home: Path, name: str) -> None:
    with pytest.raises(UnknownNameError):
        RunFolder(name)


def test_predictions_come_back(home: Path) -> None:
    folder = RunFolder("01234567")
    assert folder.predictions() is None
    said = Predictions(np.arange(3), np.array([1, 0, 1]), np.array([[0.1, 0.9], [0.2, 0.8], [0.6, 0.4]], np.float32))
    folder.write_predictions(said)
    for name, value in vars(folder.predictions()).items():
        np.testing.assert_array_equal(value, getattr(said, name))
    assert said.predicted.tolist() == [1, 1, 0]


def test_a_failed_write_leaves_the_old_file(home: Path) -> None:
    folder = RunFolder("01234567")
    plan = {"classes": ["a"], "shape": [1, 2, 2], "mean": [0.0], "std": [1.0], "dataset_hash": "", "device": "cpu"}
    folder.write_plan(plan)

    def fail(path: Path) -> None:
        path.write_text("{half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        folder.files.put("plan.json", fail)
    assert folder.plan() == plan


def test_missing_weights_are_a_sentence(home: Path) -> None:
    folder = RunFolder("01234567")
    with pytest.raises(PlaygroundError, match="no weights yet"):
        folder.weights()
    folder.files.put(snapshot(2), lambda path: save_file({"a": np.zeros(1)}, path))
    with pytest.raises(PlaygroundError, match="epoch 3 were not kept; kept are 2"):
        folder.weights(3)
    assert folder.epochs() == [2]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
def test_what_could_not_be_written_leaves_the_old_file_and_no_half_one(home: Path, error: BaseException) -> None:
    folder = RunFolder("0123abcd")
    folder.files.put("plan.json", lambda path: path.write_text("old"))

    def half(path: Path) -> None:
        path.write_text("ne")
        raise error

    with pytest.raises(type(error)):
        folder.files.put("plan.json", half)
    assert [(path.name, path.read_text()) for path in folder.files.folder.iterdir()] == [("plan.json", "old")]
