"""The augmentation lab in a browser: a control changes the images, a link brings them back, a phone fits them."""

import json
from collections.abc import Callable
from urllib.parse import parse_qs, quote, urlparse

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import App
from tests.browser.waiting import fits, wait_for

pytestmark = pytest.mark.browser
NewPage = Callable[..., Page]
STEPS = [{"kind": "shift", "pixels": 1}, {"kind": "rotation", "degrees": 15.0}]


def picture(page: Page) -> str:
    return page.locator(".cnn-draws img").get_attribute("src") or ""


def augment_of(page: Page) -> list[dict]:
    return json.loads(parse_qs(urlparse(page.url).query).get("augment", ["[]"])[0])


def changes(page: Page, act: Callable[[], object]) -> str:
    """Do something, and wait until the grid of draws is another image."""
    before = picture(page)
    act()
    wait_for(lambda: picture(page) != before)
    return picture(page)


def press(button: Locator) -> None:
    expect(button).to_have_count(1)  # a redrawn page keeps the old one until the new one is there
    button.click()


def test_controls_change_the_images_and_a_link_brings_them_back(app: App, new_page: NewPage) -> None:
    page = new_page(f"{app.url}/augmentation?data.dataset=digits&augment={quote(json.dumps(STEPS))}")
    page.locator(".cnn-draws img").wait_for()
    changes(page, lambda: page.get_by_role("slider", name="Degrees").press("End"))
    wait_for(lambda: augment_of(page)[1] == {"kind": "rotation", "degrees": 180.0})
    changes(page, lambda: press(page.locator(".st-key-augment-up-1 button").filter(visible=True)))
    wait_for(lambda: [step["kind"] for step in augment_of(page)] == ["rotation", "shift"])
    expect(page.locator(".cnn-gallery figcaption").nth(1)).to_have_text("1 · Rotation")
    shown = changes(page, lambda: press(page.get_by_role("button", name="Other draws")))
    on_a_phone(new_page, page.url, shown)
    press(page.get_by_role("button", name="Train with these"))
    page.wait_for_url("**/train?*")
    wait_for(lambda: [step["kind"] for step in augment_of(page)] == ["rotation", "shift"])
    expect(page.locator(".st-key-part-augment")).to_contain_text("Rotation 180°")


def on_a_phone(new_page: NewPage, url: str, shown: str) -> None:
    page = new_page(url, 390, 844, True)
    page.locator(".cnn-draws img").wait_for()
    wait_for(lambda: picture(page) == shown)
    expect(page.locator(".cnn-draws img")).to_have_css("image-rendering", "pixelated")
    fits(page)
    page.close()
