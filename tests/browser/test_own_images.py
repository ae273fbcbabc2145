"""A person imports images: two classes by hand that are trained and told apart, and a zip with planted copies."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cnn_core.data.catalogue import versions
from cnn_core.jobs.executors.local_pool import wait_until_ready
from tests.browser.conftest import App
from tests.browser.test_story import NewPage, badge, press
from tests.browser.waiting import at_rest, wait_for
from tests.data.images import RAW, image_file, of_class, write_zip

pytestmark = pytest.mark.browser
CLASSES = {"boots": 9, "trousers": 1}


def png(number: int) -> dict[str, object]:
    return {"name": f"{number}.png", "mimeType": "image/png", "buffer": image_file(number, (56, 56), False, "PNG")}


def test_two_classes_by_hand_are_learned_and_told_apart(app: App, new_page: NewPage) -> None:
    page = new_page(f"{app.url}/bring?from=by_hand")
    for place, (name, label) in enumerate(CLASSES.items()):
        box = page.get_by_placeholder("Name of a class")
        box.fill(name)
        press(page, "Add class")
        expect(page.locator("input[type=file]")).to_have_count(place + 1)
        at_rest(page)
        page.locator("input[type=file]").nth(place).set_input_files([png(number) for number in of_class(label, 60)])
        expect(page.get_by_text(f"{name} · 60 images")).to_be_visible()
    an_image_by_camera(page)
    page.get_by_label("Name", exact=True).fill("Boots or trousers")
    page.get_by_label("Name", exact=True).press("Enter")
    at_rest(page)
    page.get_by_role("spinbutton", name="Size").fill("28")
    page.get_by_role("spinbutton", name="Size").press("Enter")
    expect(page.get_by_text("28 × 28 pixels")).to_be_visible()
    press(page, "Import")
    page.get_by_test_id("stMain").get_by_role("link", name="Train on it").click()
    page.wait_for_url("**/train?data.dataset=own-*")
    wait_until_ready()
    page.get_by_test_id("stMain").get_by_role("button", name="Train", exact=True).click()
    badge(page, "finished", seconds=180)
    page.goto(re.sub(r"/train\?run=(\w+).*", r"/classify?run=\1", page.url))
    unseen = of_class(CLASSES["boots"], 1, first=200)[0]
    at_rest(page)
    page.locator("input[type=file]").set_input_files([png(unseen)])  # type: ignore[list-item]
    expect(page.get_by_text("the network gets this")).to_be_visible()
    expect(page.locator(".cnn-bars").first).to_contain_text("boots")


def an_image_by_camera(page: Page) -> None:
    """The browser's made-up camera adds one image, and it can be removed with its class."""
    page.get_by_placeholder("Name of a class").fill("camera")
    press(page, "Add class")
    page.locator("label", has_text="Camera").nth(2).click()
    page.wait_for_function("document.querySelector('video')?.currentTime > 0.5")
    at_rest(page)
    page.get_by_role("button", name="Take Photo").click()
    expect(page.get_by_text("camera · 1 image")).to_be_visible()
    page.get_by_role("button", name="Remove").nth(2).click()
    expect(page.get_by_text("camera · 1 image")).to_have_count(0)


def test_a_zip_of_ten_classes_is_imported(app: App, new_page: NewPage, tmp_path: Path) -> None:
    planted_leak = image_file(of_class(0, 1)[0], kind="PNG")
    files = {
        f"{folder}/{RAW.classes[label].replace('/', ' ')}/{number}.png": image_file(number, kind="PNG")
        for label in range(10)
        for folder, first, count in (("train", 0, 12), ("test", 12, 4))
        for number in of_class(label, count, first)
    }
    files |= {"test/Bag/planted.png": planted_leak, "train/Coat/again.png": image_file(of_class(4, 1)[0], kind="PNG")}
    page = new_page(f"{app.url}/bring")
    at_rest(page)
    page.locator("input[type=file]").first.set_input_files(write_zip(tmp_path / "ten.zip", files))
    expect(page.get_by_text("162 images of 10 classes")).to_be_visible()
    press(page, "Import")
    expect(page.get_by_role("link", name="Train on it")).to_be_visible()
    wait_for(lambda: len(versions.own_datasets()) == 1)
    (known,) = versions.own_datasets()
    assert (known.images, known.classes) == (162, 10)
    find_the_planted(page, app, known.id)


def find_the_planted(page: Page, app: App, dataset: str) -> None:
    """The Data page names the copies and the leak, and one click makes a version without them."""
    page.goto(f"{app.url}/data?dataset={dataset}&view=copies")
    expect(page.get_by_text("Across splits · 1")).to_be_visible()
    expect(page.get_by_text("Exact · 2")).to_be_visible()
    press(page, "Remove the copies")
    expect(page.get_by_text("This is ten · v2")).to_be_visible()
    newest, old = versions.own_datasets()
    page.goto(f"{app.url}/data?dataset={newest.id}&view=copies")
    expect(page.get_by_text("No image has a copy in this data set")).to_be_visible()
    assert (newest.parent, newest.images) == (old.id, old.images - 2)
