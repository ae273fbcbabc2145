"""A data folder made by an earlier version: the database and the run folders in `version_1/`."""

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from cnn_core.data.catalogue.library import prepare
from cnn_core.inference import Classifier
from cnn_core.jobs.execute import execute
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store

FINISHED, PAUSED, TWIN = "6a31d47c", "5516ad7a", "fc5f7da7"


@pytest.fixture
def version_1(home: Path) -> Path:
    """A copy of it as the data folder."""
    return Path(shutil.copytree(Path(__file__).parent / "version_1", home))


def test_its_runs_are_listed(version_1: Path) -> None:
    statuses = {run.name: run.status for run in store().runs()}
    assert statuses == {
        "Finished": "finished",
        "Paused": "paused",
        "Uninterrupted twin of Paused": "finished",
        "Unreadable recipe": "failed",
    }


def test_a_finished_run_classifies_as_it_did(version_1: Path) -> None:
    dataset, stored = prepare("digits"), RunFolder(FINISHED).predictions()
    assert stored is not None
    probabilities = Classifier.open(FINISHED).classify_many(dataset.images, stored.indices)
    assert np.allclose(probabilities, stored.probabilities, atol=1e-5)


def test_a_paused_run_goes_on_to_the_weights_it_would_have_had(version_1: Path) -> None:
    assert store().take(PAUSED, "here")
    execute(PAUSED, "here", "cpu", threading.Event())
    assert store().get(PAUSED).status == "finished", store().get(PAUSED).message
    resumed, twin = (Classifier.open(run_id, 4).network.state_dict() for run_id in (PAUSED, TWIN))
    for name, weights in twin.items():  # the last digits differ on another kind of processor
        assert torch.allclose(resumed[name], weights, atol=1e-4), name
