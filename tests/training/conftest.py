"""What several tests of training begin with."""

from pathlib import Path

import pytest

from cnn_core.data.catalogue.library import open_dataset
from cnn_core.data.dataset import ImageDataset
from cnn_core.runs.live import Watched
from cnn_core.training import live as live_module


@pytest.fixture
def digits(home: Path) -> ImageDataset:
    return open_dataset("digits")


@pytest.fixture
def at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody looks, and every step is written."""
    monkeypatch.setattr(live_module, "EVERY", 0.0)
    monkeypatch.setattr(live_module, "SHARE", 1e9)
    monkeypatch.setattr(Watched, "__call__", lambda self: True)
