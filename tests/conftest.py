"""A data folder of its own for each test, and no network."""

from pathlib import Path

import pytest

from cnn_core.settings import Settings

# Start apps and workers, and wait for them
ALONE = (
    "tests/browser/",
    "tests/contracts/test_executors.py",
    "tests/jobs/test_imports.py",
    "tests/jobs/test_pool.py",
    "tests/jobs/test_slot.py",
    "tests/jobs/test_store_away.py",
    "tests/jobs/test_takeover.py",
    "tests/jobs/test_tasks.py",
    "tests/test_command_line.py",
    "tests/test_streams.py",
)
CLOSED = "http://127.0.0.1:9"  # the discard port: nobody listens


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith(ALONE):
            item.add_marker(pytest.mark.alone)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder that the settings point to."""
    folder = tmp_path / "home"
    monkeypatch.setenv("CNN_PLAYGROUND_HOME", str(folder))
    return folder


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Downloads fail at once, here as on a computer with a network."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, CLOSED)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")


@pytest.fixture
def fashion_mnist_folder() -> Path:
    """Where a package of the system put the four original Fashion-MNIST files; skips where there is none."""
    for folder in Settings().dataset_folders:
        if (folder / "train-images-idx3-ubyte.gz").is_file():
            return folder
    pytest.skip("the original Fashion-MNIST files are not installed (Debian: dataset-fashion-mnist)")
