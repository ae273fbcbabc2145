"""What arrives in the page goes to the disk at once, leaves the server's memory, and has a limit for each visitor."""

import re
from pathlib import Path

import pytest
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.testing.v1 import AppTest

from cnn_core.data.incoming.upload import Upload
from cnn_core.errors import PlaygroundError
from cnn_core.settings import settings
from tests.data.images import two_classes, write_zip
from tests.pages.conftest import Open, errors, query, run, text


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[MemoryUploadedFileManager]:
    """Streamlit's stores of uploaded files, as they come into use."""
    managers: list[MemoryUploadedFileManager] = []
    add = MemoryUploadedFileManager.add_file
    monkeypatch.setattr(
        MemoryUploadedFileManager, "add_file", lambda self, *more: managers.append(self) or add(self, *more)
    )
    return managers


def in_memory(kept: list[MemoryUploadedFileManager]) -> int:
    return sum(
        len(file.data) for store in kept[-1:] for files in store.file_storage.values() for file in files.values()
    )


def bring(page: AppTest, path: Path) -> AppTest:
    box = next(box for box in page.file_uploader if box.key.split(":")[0] == "archive")
    box.set_value((path.name, path.read_bytes(), "application/zip"))
    return run(page)


def test_an_archive_lies_on_the_disk_and_not_in_memory(
    open_page: Open, tmp_path: Path, kept: list[MemoryUploadedFileManager]
) -> None:
    path = write_zip(tmp_path / "clothes.zip", two_classes())
    page = bring(open_page("bring"), path)
    assert kept, "it came by way of Streamlit's memory"
    assert in_memory(kept) == 0
    assert re.search(r"clothes is here, [1-9][\d.]* kB\.", text(page))
    assert "24 images of 2 classes" in text(page)
    assert (Upload(query(page)["upload"]).folder / "archive").read_bytes() == path.read_bytes()
    assert all(not box.value for box in page.file_uploader), "the widget is empty for the next one"
    page = bring(page, write_zip(tmp_path / "others.zip", two_classes(9)))
    assert "18 images of 2 classes" in text(page)
    assert in_memory(kept) == 0


def test_images_by_hand_do_not_stay_in_memory(open_page: Open, kept: list[MemoryUploadedFileManager]) -> None:
    page = open_page("bring", **{"from": "by_hand"})
    page.text_input[0].set_value("boots")
    page.button[0].click()
    run(page)
    page.file_uploader[0].set_value([("1.jpg", _boot(), "image/jpeg")])
    run(page)
    assert "boots** · 1 image" in text(page)
    assert kept
    assert in_memory(kept) == 0


def _boot() -> bytes:
    return next(data for path, data in two_classes(1).items() if path.startswith("boots"))


def test_a_visitor_has_a_limit_and_can_make_room(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: list[MemoryUploadedFileManager]
) -> None:
    monkeypatch.setenv("CNN_PLAYGROUND_VISITOR_MEGABYTES", "1")
    heavy = two_classes() | {"boots/heavy.bmp": bytes(600_000)}
    page = bring(open_page("bring"), write_zip(tmp_path / "first.zip", heavy))
    assert not page.error
    page = bring(page, write_zip(tmp_path / "second.zip", heavy))
    assert "second.zip has 0.6 MB. At most 1 MB of one visitor may wait for an import" in errors(page)
    assert "first is here" in text(page)
    assert in_memory(kept) == 0
    page.button(key="remove-waiting").click()
    run(page)
    page = bring(page, write_zip(tmp_path / "second.zip", heavy))
    assert not page.error
    assert "second is here" in text(page)


def test_the_limit_is_of_one_visitor_to_the_byte(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNN_PLAYGROUND_VISITOR_MEGABYTES", "1")
    upload = Upload.new("archive", "ada")
    room = settings().visitor_megabytes * 1_000_000 - upload.size
    with pytest.raises(PlaygroundError, match="At most 1 MB of one visitor"):
        upload.put_archive("a.zip", bytes(room + 1))
    upload.put_archive("a.zip", bytes(room))
    assert "At most 1 MB" in Upload.new("by_hand", "ada").add([("boots/1.png", b"more")])[0]
    assert Upload.new("by_hand", "bob").add([("boots/1.png", b"more")]) == []
    assert Upload.new().add([("boots/1.png", b"more")]) == []


def test_a_packed_folder_lies_on_the_disk_and_not_in_memory(
    open_page: Open, tmp_path: Path, kept: list[MemoryUploadedFileManager]
) -> None:
    page = open_page("bring", **{"from": "folder"})
    files = {f"clothes/{path}": data for path, data in two_classes().items()}
    path = write_zip(tmp_path / "clothes.zip", files)
    page.file_uploader(key="folder-zip").set_value((path.name, path.read_bytes(), "application/zip"))
    run(page)
    assert "24 images of 2 classes" in text(page)
    assert Upload(query(page)["upload"]).way == "folder"
    assert kept
    assert in_memory(kept) == 0
