"""Uploads in Chromium: a folder of 2,000 images until its classes are shown, and what a zip leaves in memory."""

from __future__ import annotations

import os
import tempfile
import time
import zipfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.app import App, resident_megabytes, running_app
from benchmarks.row import Row, at_most
from tests.browser.chromium import find_chromium
from tests.data.images import image_file

IMAGES, CLASSES, ZIP_MEGABYTES, REPEATS = 2_000, 10, 200, 3
PATIENCE = 120_000  # ms


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as scratch, running_app() as app, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        folder, archive = _folder(Path(scratch) / "clothes"), _archive(Path(scratch) / "large.zip")
        seconds = [_bring_folder(browser, app, folder) for _ in range(REPEATS)]
        left = [_bring_zip(browser, app, archive) for _ in range(REPEATS)]
        browser.close()
    return [
        at_most(f"uploads folder of {IMAGES:,} images", seconds, 20, "s", "from choosing it to its classes"),
        at_most(
            f"uploads zip of {ZIP_MEGABYTES} MB: memory it leaves in the server", left, 30, "MB", "page still open"
        ),
    ]


def _folder(path: Path) -> Path:
    for number in range(IMAGES):
        file = path / f"class {number % CLASSES}" / f"{number}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(image_file(number))
    return path


def _archive(path: Path) -> Path:
    """Images, and beside them files of noise that fill it up."""
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(40):
            archive.writestr(f"class {number % 2}/{number}.jpg", image_file(number))
        for number in range(ZIP_MEGABYTES // 10):
            archive.writestr(f"class 0/noise {number}.jpg", os.urandom(10_000_000))
    return path


def _opened(browser: Browser, address: str) -> Page:
    page = browser.new_context().new_page()
    page.goto(address)
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=PATIENCE)
    page.locator("input[type=file]").last.wait_for(state="attached", timeout=PATIENCE)
    return page


def _bring_folder(browser: Browser, app: App, folder: Path) -> float:
    page = _opened(browser, f"{app.url}/bring?from=folder")
    began = time.perf_counter()
    page.locator("input[webkitdirectory]").set_input_files(folder)
    expect(page.get_by_text(f"{IMAGES:,} images of {CLASSES} classes")).to_be_visible(timeout=PATIENCE)
    seconds = time.perf_counter() - began
    page.context.close()
    return seconds


def _bring_zip(browser: Browser, app: App, archive: Path) -> float:
    """Growth of the server's resident memory, with everything that the page itself loads."""
    page = _opened(browser, f"{app.url}/bring")
    before = resident_megabytes(app.pid)
    page.locator("input[type=file]").first.set_input_files(archive)
    expect(page.get_by_text("of 2 classes", exact=False).first).to_be_visible(timeout=PATIENCE)
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=PATIENCE)
    grown = resident_megabytes(app.pid) - before
    page.context.close()
    return grown
