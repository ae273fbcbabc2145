"""Every page as an image: it fits a desktop and a phone, in light and dark, and the first link after a start works."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.conftest import App
from tests.browser.waiting import at_rest, fits, still
from tests.pages.conftest import digits_recipe, train

pytestmark = pytest.mark.browser
VIEWS = tuple(f"data?dataset=digits&view={view}" for view in ("pixels", "copies", "map", "image"))
PAGES = ("", "data", *VIEWS, "bring", "augmentation", "train", "evaluate", "inside", "classify", "runs")
SIZES = ((1440, 900, False), (390, 844, True))


@pytest.fixture
def run_id(home: Path) -> str:
    """A finished run that was there before the app started."""
    return train(digits_recipe("simple_cnn", 2), "An earlier run")


def settled(page: Page) -> None:
    at_rest(page)
    expect(page.get_by_test_id("stMain").locator("h2").first).to_be_visible()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)


def test_every_page_fits(run_id: str, app: App, new_page: Callable[..., Page]) -> None:
    page = new_page(f"{app.url}/train?run={run_id}")  # before app.py has ever run in this server
    settled(page)
    expect(page.get_by_test_id("stSidebarNav").get_by_text("Understand")).to_be_visible()
    expect(page.locator(".stMarkdownBadge", has_text="finished")).to_be_visible()
    assert page.url.endswith(f"/train?run={run_id}")
    for width, height, dark in SIZES:
        page = new_page(app.url, width, height, dark)
        troubles: list[str] = []
        page.on("pageerror", lambda error, troubles=troubles: troubles.append(str(error)))
        page.on("requestfailed", lambda request, troubles=troubles: troubles.append(request.url))
        for name in PAGES:
            page.goto(f"{app.url}/{name}")
            settled(page)
            fits(page)
            expect(page.get_by_test_id("stException")).to_have_count(0)
            expect(page.locator("[data-testid=stAlert]", has_text=re.compile("wrong|no run"))).to_have_count(0)
        assert not [trouble for trouble in troubles if "127.0.0.1" not in trouble], "nothing comes from elsewhere"


def test_a_very_tall_or_wide_image_stays_in_a_box(run_id: str, app: App, new_page: Callable[..., Page]) -> None:
    """All of it is to be seen, not larger than the box, beside or above what the network makes of it."""
    for width, height, dark in SIZES:
        page = new_page(f"{app.url}/classify?run={run_id}", width, height, dark)
        settled(page)
        page.locator("input[type=file]").set_input_files([strip_file(60, 2000), strip_file(2000, 60)])
        boxes = page.locator(".cnn-boxed img")
        expect(boxes).to_have_count(2)
        expect(page.get_by_text("the image, 60 × 2,000 pixels.")).to_be_visible()
        for box in boxes.all():
            size = still(box)
            assert 100 < size["height"] <= 320
            assert 100 < size["width"] <= width
            assert box.evaluate("image => getComputedStyle(image).objectFit") == "contain"
        fits(page)


def strip_file(width: int, height: int) -> FilePayload:
    buffer = io.BytesIO()
    Image.radial_gradient("L").resize((width, height)).save(buffer, "PNG")
    return {"name": f"{width}.png", "mimeType": "image/png", "buffer": buffer.getvalue()}
