"""A folder is packed in the browser: its images arrive as one file, whatever they are called."""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cnn_core.data.incoming.upload import Upload
from tests.browser.conftest import App
from tests.browser.waiting import at_rest
from tests.data.images import image_file, of_class

pytestmark = pytest.mark.browser
NAMES = {"häuser & <b>": 1, "犬": 9}


def test_a_folder_becomes_classes(app: App, new_page: Callable[..., Page], tmp_path: Path) -> None:
    files = {
        f"pets/{name}/{number}.jpg": image_file(number)
        for name, label in NAMES.items()
        for number in of_class(label, 30)
    }
    for path, data in (files | {"pets/notes.pdf": b"no image", "pets/.hidden/1.jpg": b"hidden"}).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    page = new_page(f"{app.url}/bring?from=folder")
    at_rest(page)
    page.locator("input[webkitdirectory]").set_input_files(tmp_path / "pets")
    expect(page.get_by_text("60 images of 2 classes")).to_be_visible()
    expect(page.get_by_text(re.compile(r"pets is here, [\d.]+ [kM]B\."))).to_be_visible()
    with zipfile.ZipFile(Upload(page.url.split("upload=")[1].split("&")[0]).folder / "archive") as packed:
        assert packed.testzip() is None
        assert {name: packed.read(name) for name in packed.namelist()} == files
    an_empty_folder_is_a_sentence(page, tmp_path)


def an_empty_folder_is_a_sentence(page: Page, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.pdf").write_bytes(b"no image")
    at_rest(page)
    page.locator("input[webkitdirectory]").set_input_files(tmp_path / "empty")
    expect(page.get_by_text("There is no image in this folder.")).to_be_visible()
