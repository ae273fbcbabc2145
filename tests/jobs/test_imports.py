"""Imports in real processes of their own: done, refused, cancelled and killed."""

import os
import signal
import time
from pathlib import Path

import pytest

from cnn_core.data.catalogue import versions
from cnn_core.data.catalogue.library import open_dataset
from cnn_core.data.incoming.import_spec import ImportSpec
from cnn_core.data.incoming.upload import Upload
from cnn_core.errors import PlaygroundError
from cnn_core.jobs.dataset_deletion import delete_dataset
from cnn_core.jobs.tasks.attempt import attempt_at
from cnn_core.jobs.tasks.import_images import ImportRequest, import_of, report_of
from cnn_core.jobs.tasks.task import UNEXPLAINED, TaskState
from cnn_core.recipe import DataSpec, Recipe
from cnn_core.runs.store import store
from tests.data.images import image_file, two_classes, write_zip

SMALL = ImportSpec(size=28)


@pytest.fixture
def upload(home: Path) -> Upload:
    return Upload.new()


def put_zip(upload: Upload, tmp_path: Path, files: dict[str, bytes]) -> None:
    upload.put_archive("my images.zip", write_zip(tmp_path / "x.zip", files).read_bytes())


def start(upload: Upload, name: str, made_by: str = "") -> None:
    import_of(upload).start(ImportRequest(upload=upload.token, spec=SMALL, name=name, made_by=made_by))


def ended(upload: Upload, seconds: float = 60) -> TaskState | None:
    limit = time.monotonic() + seconds
    while (state := import_of(upload).state()) and state.busy:
        assert time.monotonic() < limit
        time.sleep(0.05)
    return state


def test_an_upload_becomes_a_data_set(upload: Upload, tmp_path: Path) -> None:
    assert import_of(upload).state() is None
    put_zip(upload, tmp_path, two_classes())
    assert upload.title == "my images"
    start(upload, "Clothes", "Ada")
    state = ended(Upload(upload.token))
    assert state
    report = report_of(state)
    assert report, state.error
    assert report.added == 24
    known = versions.about(report.dataset)
    assert (known.name, known.made_by) == ("Clothes", "Ada")
    assert open_dataset(known.id).shape == (3, 28, 28)


def test_a_refusal_is_a_sentence_and_the_images_stay(upload: Upload, tmp_path: Path) -> None:
    put_zip(upload, tmp_path, {"boots/1.jpg": image_file(0), "hats/2.jpg": b"no"})
    start(upload, "Clothes")
    state = ended(upload)
    assert state
    assert "only images of boots" in state.error
    put_zip(upload, tmp_path, two_classes())
    start(upload, "Clothes")
    state = ended(upload)
    assert state
    report = report_of(state)
    assert report, state.error


def test_cancelled_leaves_nothing_but_the_images(upload: Upload, tmp_path: Path, home: Path) -> None:
    put_zip(upload, tmp_path, two_classes())
    start(upload, "Clothes")
    import_of(upload).cancel()
    assert ended(upload) == TaskState(cancelled=True)
    assert not list((home / "datasets").glob("own-*"))
    assert upload.files().entries()


def test_two_imports_of_one_name_become_one_data_set_and_a_refusal(home: Path, tmp_path: Path) -> None:
    """Both are asked for while the name is free; each decodes for about a second."""
    many = {f"{name}/{number}.jpg": image_file(number, (600, 600)) for name in ("a", "b") for number in range(100)}
    uploads = [Upload.new(), Upload.new()]
    for upload in uploads:
        put_zip(upload, tmp_path, many)
    for upload in uploads:
        start(upload, "Clothes")
    states = [ended(upload) for upload in uploads]
    (refused,) = (number for number, state in enumerate(states) if state and state.error)
    assert "Clothes" in states[refused].error  # type: ignore[union-attr]
    assert "Choose another name" in states[refused].error  # type: ignore[union-attr]
    assert [(known.name, known.version) for known in versions.own_datasets()] == [("Clothes", 1)]
    again = uploads[refused]
    assert len(again.files().entries()) == len(many)
    start(again, "Other clothes")
    state = ended(again)
    assert state
    report = report_of(state)
    assert report, state.error


def test_a_killed_import_is_told_and_swept_away_by_the_next(upload: Upload, tmp_path: Path, home: Path) -> None:
    many = {f"{name}/{number}.jpg": image_file(number, (900, 900)) for name in ("a", "b") for number in range(150)}
    put_zip(upload, tmp_path, many)
    start(upload, "Clothes")
    limit = time.monotonic() + 60
    while not list((home / "datasets").glob("own-*.partial")):
        assert time.monotonic() < limit
        time.sleep(0.01)
    attempt = attempt_at(import_of(upload).id)
    assert attempt
    process = attempt.process()
    assert process
    os.kill(process.pid, signal.SIGKILL)
    state = ended(upload)
    assert state
    assert state.error == UNEXPLAINED
    assert versions.own_datasets() == []
    start(upload, "Clothes")
    state = ended(upload)
    assert state
    report = report_of(state)
    assert report, state.error
    assert [path.name for path in (home / "datasets").iterdir()] == [f"{report.dataset}-28"]


def test_classes_made_by_hand(upload: Upload) -> None:
    upload.make_class(" boots ")
    upload.make_class("Ünïcode 靴")
    for wrong in ("", "Boots", "a/b", "..", "x" * 81, "a\nb"):
        with pytest.raises(PlaygroundError):
            upload.make_class(wrong)
    for number in range(6):  # a camera gives every image the same name
        assert (
            upload.add([("boots/photo.png", image_file(number)), ("Ünïcode 靴/photo.png", image_file(number + 50))])
            == []
        )
    (refused,) = upload.add([("boots/big.png", bytes(21_000_000))])
    assert "big.png has more than 20 MB" in refused
    start(upload, "By hand")
    state = ended(upload)
    assert state
    report = report_of(state)
    assert report, state.error
    assert list(report.kept) == ["boots", "Ünïcode 靴"]
    assert report.added == 12
    upload.drop_class("boots")
    assert upload.classes == ["Ünïcode 靴"]
    assert len(upload.received) == 6


def test_labels_in_a_table(upload: Upload, tmp_path: Path) -> None:
    files = {f"{number}.jpg": image_file(number) for number in range(12)}
    put_zip(upload, tmp_path, files)
    rows = [f"{number}.jpg,{'even' if number % 2 == 0 else 'odd'}" for number in range(12)]
    upload.put_labels(("filename,label\n" + "\n".join(rows)).encode())
    start(upload, "Table")
    state = ended(upload)
    assert state
    report = report_of(state)
    assert report, state.error
    assert {name: sum(kept.values()) for name, kept in report.kept.items()} == {"even": 6, "odd": 6}


@pytest.mark.parametrize("token", ["", "../../etc", "0" * 16, "0123456789abcdeg"])
def test_an_upload_that_is_not_there_is_a_sentence(home: Path, token: str) -> None:
    with pytest.raises(PlaygroundError, match="no longer here"):
        Upload(token)


def test_an_upload_whose_import_runs_is_kept(upload: Upload, tmp_path: Path) -> None:
    put_zip(upload, tmp_path, two_classes())
    os.utime(upload.folder / "upload.json", (0, 0))
    start(upload, "Clothes")
    assert report_of(ended(upload))
    Upload.new()
    assert upload.folder.exists()


def test_forgotten_trays_are_cleared_away(upload: Upload) -> None:
    os.utime(upload.folder / "upload.json", (0, 0))
    Upload.new()
    assert not upload.folder.exists()


def test_a_data_set_is_not_deleted_from_under_a_run(upload: Upload, tmp_path: Path) -> None:
    put_zip(upload, tmp_path, two_classes())
    start(upload, "Clothes")
    state = ended(upload)
    assert state
    report = report_of(state)
    assert report, state.error
    dataset = report.dataset
    run = store().create(Recipe(data=DataSpec(dataset=dataset)), "My first run", "worker")
    with pytest.raises(PlaygroundError, match="used by 1 run: My first run"):
        delete_dataset(dataset)
    store().delete(run)
    delete_dataset(dataset)
    assert versions.own_datasets() == []
