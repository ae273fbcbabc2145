"""Original files: found, put there by hand, half downloaded, fetched from a server that breaks off."""

import errno
import gzip
import hashlib
import http.server
import socket
import threading
import urllib.error
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torchvision.datasets as tv

from cnn_core.data.catalogue.library import Progress, prepare
from cnn_core.data.catalogue.registry import dataset_sources
from cnn_core.data.dataset import RawImages
from cnn_core.data.sources.idx import read_idx
from cnn_core.data.sources.originals import Originals, cause
from cnn_core.data.sources.torchvision_readers import mnist_family
from cnn_core.errors import DatasetUnavailableError
from cnn_core.settings import settings

NAMES = [Path(file).name for file in dataset_sources.get("fashion_mnist").files]


def test_fashion_mnist_is_read_where_the_system_s_package_put_it(fashion_mnist_folder: Path, home: Path) -> None:
    dataset = prepare("fashion_mnist")
    assert not (home / "downloads").exists()
    train = read_idx(fashion_mnist_folder / "train-images-idx3-ubyte.gz")
    assert np.array_equal(dataset.images[:60_000, 0], train)
    assert dataset.splits["test"].tolist() == list(range(60_000, 70_000))
    assert np.bincount(dataset.labels[dataset.splits["validation"]]).tolist() == [600] * 10
    assert dataset.classes == tuple(tv.FashionMNIST.classes)


def test_files_of_the_system_s_package_are_found(fashion_mnist_folder: Path, home: Path) -> None:
    assert dataset_sources.get("fashion_mnist").found(settings().downloads) == fashion_mnist_folder
    reports: list[Progress] = []
    prepare("fashion_mnist", progress=reports.append)
    assert {report.stage for report in reports} == {"importing"}


def test_the_same_names_with_another_data_set_inside_are_not_fashion_mnist(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNN_PLAYGROUND_DATASET_FOLDERS", f'["{tmp_path}"]')
    source = dataset_sources.get("fashion_mnist")
    for name in NAMES:
        assert source.found(settings().downloads) is None
        (tmp_path / name).write_bytes(gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 2, 3, 4])))
    assert source.found(settings().downloads) is None
    assert dataset_sources.get("mnist").found(settings().downloads) is None


@pytest.mark.parametrize("name", ["cifar10", "mnist", "stl10"])
def test_files_put_into_the_downloads_folder_are_found(name: str, home: Path) -> None:
    source = dataset_sources.get(name)
    for file in source.files:
        assert source.found(settings().downloads) is None
        (settings().downloads / file).parent.mkdir(parents=True, exist_ok=True)
        (settings().downloads / file).touch()
    assert source.found(settings().downloads) == settings().downloads


def test_files_put_there_by_hand_are_used(
    fashion_mnist_folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNN_PLAYGROUND_DATASET_FOLDERS", "[]")
    raw = home / "downloads" / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for name in NAMES:
        (raw / name).symlink_to(fashion_mnist_folder / name)
    (raw / "t10k-images-idx3-ubyte").write_bytes(b"half of it")
    dataset = prepare("fashion_mnist")
    theirs = [tv.FashionMNIST(home / "downloads", train=train) for train in (True, False)]
    assert np.array_equal(dataset.images[:, 0], np.concatenate([part.data.numpy() for part in theirs]))
    assert np.array_equal(dataset.labels, np.concatenate([part.targets.numpy() for part in theirs]))


def test_another_data_set_under_the_same_names_is_not_mistaken(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in NAMES:
        (tmp_path / name).write_bytes(gzip.compress(b"\0\0\x08\1\0\0\0\2\1\2"))
    monkeypatch.setenv("CNN_PLAYGROUND_DATASET_FOLDERS", f'["{tmp_path}", "/does/not/exist"]')
    with pytest.raises(DatasetUnavailableError, match="could not be downloaded"):
        prepare("fashion_mnist")


class Server(http.server.ThreadingHTTPServer):
    """Serves a folder; sends no more than `most` bytes of a file, whatever length it promised."""

    most = 10**9
    pause = 0.0

    def __init__(self, folder: Path):
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder = folder

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what some tests are about."""


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_HEAD(self) -> None:
        body = (self.server.folder / Path(self.path).name).read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        body = (self.server.folder / Path(self.path).name).read_bytes()[: self.server.most]
        self.wfile.write(body[: len(body) // 2])
        threading.Event().wait(self.server.pause)
        self.wfile.write(body[len(body) // 2 :])

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[Server]:
    """A mirror of a miniature MNIST, which is registered as "mnist"."""
    monkeypatch.setenv("CNN_PLAYGROUND_DATASET_FOLDERS", "[]")
    folder = tmp_path / "mirror"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name, shape in zip(NAMES, [(200, 28, 28), (200,), (100, 28, 28), (100,)], strict=True):
        header = np.array(shape, ">u4").tobytes()
        body = bytes([0, 0, 8, len(shape)]) + header + rng.integers(0, 10, shape, np.uint8).tobytes()
        (folder / name).write_bytes(gzip.compress(body))
    sums = [(name, hashlib.md5((folder / name).read_bytes()).hexdigest()) for name in NAMES]
    server = Server(folder)
    monkeypatch.setattr(tv.MNIST, "resources", sums)
    monkeypatch.setattr(tv.MNIST, "mirrors", [f"http://127.0.0.1:{server.server_address[1]}/"])
    files = tuple(f"MNIST/raw/{name}" for name in NAMES)
    originals = Originals(
        title="MNIST", address="http://x", images=300, files=files, read=mnist_family("MNIST", 200, 100)
    )
    mnist = replace(dataset_sources.get("mnist"), images=300, download_megabytes=1, read=originals.fetch)
    monkeypatch.setitem(dataset_sources._things, "mnist", mnist)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_download_that_breaks_off_does_not_spoil_the_next(server: Server, home: Path) -> None:
    server.most = 1000
    with pytest.raises(DatasetUnavailableError, match=r"MNIST could not be downloaded \(.*\)"):
        prepare("mnist")
    assert (home / "downloads" / "MNIST" / "raw" / NAMES[0]).stat().st_size == 1000
    server.most = 10**9
    images = prepare("mnist").images
    assert np.array_equal(images[:200, 0], read_idx(server.folder / NAMES[0]))


def test_a_download_is_done_once_for_all_sizes(server: Server, home: Path) -> None:
    assert prepare("mnist").shape == (1, 28, 28)
    server.most = 0
    assert prepare("mnist", 14).shape == (1, 14, 14)


def test_a_download_shows_its_progress(server: Server, home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    server.pause = 0.4
    reports: list[Progress] = []
    prepare("mnist", progress=reports.append)
    arrived = [report.done for report in reports if report.stage == "downloading"]
    assert arrived == sorted(arrived)
    assert len(set(arrived)) > 1
    assert max(arrived) <= 1
    assert reports[-1].stage == "importing"
    assert capfd.readouterr().err == ""


def test_a_server_that_says_nothing_is_given_up(server: Server, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnn_core.data.sources.originals.SILENCE_SECONDS", 0.1)
    server.pause = 0.5
    with pytest.raises(DatasetUnavailableError, match="the server did not answer in time"):
        prepare("mnist")
    assert socket.getdefaulttimeout() is None


def test_a_data_set_with_too_few_images_is_not_taken(server: Server, home: Path) -> None:
    original = replace(dataset_sources.get("mnist").read.__self__, images=301)  # type: ignore[attr-defined]
    with pytest.raises(DatasetUnavailableError, match="300 of 301 images found"):
        original.fetch(settings().downloads)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (urllib.error.URLError(socket.gaierror(-2, "Name or service not known")), "no network"),
        (urllib.error.URLError(ConnectionRefusedError(111, "Connection refused")), "connection refused"),
        (
            RuntimeError("Error downloading x:\nTried y, got:\n<urlopen error [Errno -3] Temporary failure>\n"),
            "no network",
        ),
        (RuntimeError("Error downloading x:\nTried y, got:\nHTTP Error 404: Not Found\n"), "HTTP Error 404: Not Found"),
        (TimeoutError("timed out"), "the server did not answer in time"),
        (OSError(28, "No space left on device"), "no space left on device"),
        (EOFError(), "EOFError"),
    ],
)
def test_causes_are_short(error: Exception, words: str) -> None:
    assert cause(error) == words


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
def test_a_download_that_is_cut_short_leaves_no_half_file(home: Path, tmp_path: Path, error: BaseException) -> None:
    """A file that was there before is left alone: a person may have put it there."""

    def read(root: Path, download: bool) -> RawImages:
        if download:
            (root / "half.gz").write_bytes(b"half of it")
            raise error
        raise FileNotFoundError

    (tmp_path / "old.gz").write_bytes(b"put here by hand")
    files = ("old.gz", "half.gz")
    originals = Originals(title="Set", address="http://127.0.0.1:9/", images=1, files=files, read=read)
    with pytest.raises((KeyboardInterrupt, DatasetUnavailableError)):
        originals.fetch(tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["old.gz"]
