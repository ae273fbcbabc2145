"""Imports in real processes of their own: done, refused, cancelled and killed."""

import os
import signal
import time
from pathlib import Path

import pytest

from cnn_core.data.catalogue import shelf
from cnn_core.data.catalogue.library import open_dataset
from cnn_core.data.incoming.import_spec import ImportSpec
from cnn_core.data.incoming.tray import Tray
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
def tray(home: Path) -> Tray:
    return Tray.new()


def put_zip(tray: Tray, tmp_path: Path, files: dict[str, bytes]) -> None:
    tray.put_archive("my images.zip", write_zip(tmp_path / "x.zip", files).read_bytes())


def start(tray: Tray, name: str, made_by: str = "") -> None:
    import_of(tray).start(ImportRequest(tray=tray.token, spec=SMALL, name=name, made_by=made_by))


def ended(tray: Tray, seconds: float = 60) -> TaskState | None:
    limit = time.monotonic() + seconds
    while (state := import_of(tray).state()) and state.busy:
        assert time.monotonic() < limit
        time.sleep(0.05)
    return state


def test_a_tray_becomes_a_data_set(tray: Tray, tmp_path: Path) -> None:
    assert import_of(tray).state() is None
    put_zip(tray, tmp_path, two_classes())
    assert tray.title == "my images"
    start(tray, "Clothes", "Ada")
    state = ended(Tray(tray.token))
    assert state
    report = report_of(state)
    assert report, state.error
    assert report.added == 24
    known = shelf.about(report.dataset)
    assert (known.name, known.made_by) == ("Clothes", "Ada")
    assert open_dataset(known.id).shape == (3, 28, 28)


def test_a_refusal_is_a_sentence_and_the_images_stay(tray: Tray, tmp_path: Path) -> None:
    put_zip(tray, tmp_path, {"boots/1.jpg": image_file(0), "hats/2.jpg": b"no"})
    start(tray, "Clothes")
    state = ended(tray)
    assert state
    assert "only images of boots" in state.error
    put_zip(tray, tmp_path, two_classes())
    start(tray, "Clothes")
    state = ended(tray)
    assert state
    report = report_of(state)
    assert report, state.error


def test_cancelled_leaves_nothing_but_the_images(tray: Tray, tmp_path: Path, home: Path) -> None:
    put_zip(tray, tmp_path, two_classes())
    start(tray, "Clothes")
    import_of(tray).cancel()
    assert ended(tray) == TaskState(cancelled=True)
    assert not list((home / "datasets").glob("own-*"))
    assert tray.files().entries()


def test_two_imports_of_one_name_become_one_data_set_and_a_refusal(home: Path, tmp_path: Path) -> None:
    """Both are asked for while the name is free; each decodes for about a second."""
    many = {f"{name}/{number}.jpg": image_file(number, (600, 600)) for name in ("a", "b") for number in range(100)}
    trays = [Tray.new(), Tray.new()]
    for tray in trays:
        put_zip(tray, tmp_path, many)
    for tray in trays:
        start(tray, "Clothes")
    states = [ended(tray) for tray in trays]
    (refused,) = (number for number, state in enumerate(states) if state and state.error)
    assert "Clothes" in states[refused].error  # type: ignore[union-attr]
    assert "Choose another name" in states[refused].error  # type: ignore[union-attr]
    assert [(known.name, known.version) for known in shelf.own_datasets()] == [("Clothes", 1)]
    again = trays[refused]
    assert len(again.files().entries()) == len(many)
    start(again, "Other clothes")
    state = ended(again)
    assert state
    report = report_of(state)
    assert report, state.error


def test_a_killed_import_is_told_and_swept_away_by_the_next(tray: Tray, tmp_path: Path, home: Path) -> None:
    many = {f"{name}/{number}.jpg": image_file(number, (900, 900)) for name in ("a", "b") for number in range(150)}
    put_zip(tray, tmp_path, many)
    start(tray, "Clothes")
    limit = time.monotonic() + 60
    while not list((home / "datasets").glob("own-*.partial")):
        assert time.monotonic() < limit
        time.sleep(0.01)
    attempt = attempt_at(import_of(tray).id)
    assert attempt
    process = attempt.process()
    assert process
    os.kill(process.pid, signal.SIGKILL)
    state = ended(tray)
    assert state
    assert state.error == UNEXPLAINED
    assert shelf.own_datasets() == []
    start(tray, "Clothes")
    state = ended(tray)
    assert state
    report = report_of(state)
    assert report, state.error
    assert [path.name for path in (home / "datasets").iterdir()] == [f"{report.dataset}-28"]


def test_classes_made_by_hand(tray: Tray) -> None:
    tray.make_class(" boots ")
    tray.make_class("Ünïcode 靴")
    for wrong in ("", "Boots", "a/b", "..", "x" * 81, "a\nb"):
        with pytest.raises(PlaygroundError):
            tray.make_class(wrong)
    for number in range(6):  # a camera gives every image the same name
        assert (
            tray.add([("boots/photo.png", image_file(number)), ("Ünïcode 靴/photo.png", image_file(number + 50))]) == []
        )
    (refused,) = tray.add([("boots/big.png", bytes(21_000_000))])
    assert "big.png has more than 20 MB" in refused
    start(tray, "By hand")
    state = ended(tray)
    assert state
    report = report_of(state)
    assert report, state.error
    assert list(report.kept) == ["boots", "Ünïcode 靴"]
    assert report.added == 12
    tray.drop_class("boots")
    assert tray.classes == ["Ünïcode 靴"]
    assert len(tray.slips) == 6


def test_labels_in_a_table(tray: Tray, tmp_path: Path) -> None:
    files = {f"{number}.jpg": image_file(number) for number in range(12)}
    put_zip(tray, tmp_path, files)
    rows = [f"{number}.jpg,{'even' if number % 2 == 0 else 'odd'}" for number in range(12)]
    tray.put_labels(("filename,label\n" + "\n".join(rows)).encode())
    start(tray, "Table")
    state = ended(tray)
    assert state
    report = report_of(state)
    assert report, state.error
    assert {name: sum(kept.values()) for name, kept in report.kept.items()} == {"even": 6, "odd": 6}


@pytest.mark.parametrize("token", ["", "../../etc", "0" * 16, "0123456789abcdeg"])
def test_a_tray_that_is_not_there_is_a_sentence(home: Path, token: str) -> None:
    with pytest.raises(PlaygroundError, match="no longer here"):
        Tray(token)


def test_a_tray_whose_import_runs_is_kept(tray: Tray, tmp_path: Path) -> None:
    put_zip(tray, tmp_path, two_classes())
    os.utime(tray.folder / "tray.json", (0, 0))
    start(tray, "Clothes")
    assert report_of(ended(tray))
    Tray.new()
    assert tray.folder.exists()


def test_forgotten_trays_are_cleared_away(tray: Tray) -> None:
    os.utime(tray.folder / "tray.json", (0, 0))
    Tray.new()
    assert not tray.folder.exists()


def test_a_data_set_is_not_deleted_from_under_a_run(tray: Tray, tmp_path: Path) -> None:
    put_zip(tray, tmp_path, two_classes())
    start(tray, "Clothes")
    state = ended(tray)
    assert state
    report = report_of(state)
    assert report, state.error
    dataset = report.dataset
    run = store().create(Recipe(data=DataSpec(dataset=dataset)), "My first run", "worker")
    with pytest.raises(PlaygroundError, match="used by 1 run: My first run"):
        delete_dataset(dataset)
    store().delete(run)
    delete_dataset(dataset)
    assert shelf.own_datasets() == []
