"""Shaping a network in a real browser: the printed one mended and trained, and one changed by keyboard alone."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import App, wait_for
from tests.browser.waiting import at_rest

LABEL = re.compile(r"^Layer 1 of 8: Convolution 3×3, 18 channels, gives 18 × 32 × 32\. Advice: .*bias")
pytestmark = pytest.mark.browser


def kinds(page: Page) -> list[str]:
    """Titles of the layers, those inside groups after their group, as a screen reader says them."""
    labels: list[str] = page.get_by_role("option").evaluate_all("all => all.map((one) => one.ariaLabel)")
    return [label.partition(": ")[2].partition(" ")[0] for label in labels]


def until(page: Page, what: Callable[[list[str]], bool]) -> None:
    wait_for(lambda: page.wait_for_timeout(50) or what(kinds(page)), 30)
    at_rest(page)


def press(page: Page, path: str, keys: str) -> None:
    """A key on a layer, once it is there and has the focus."""
    at_rest(page)
    layer = page.locator(f'[data-path="{path}"]')
    layer.focus()
    expect(layer).to_be_focused()
    page.keyboard.press(keys)


def test_the_printed_network_is_mended_and_trained(app: App, new_page: Callable[..., Page]) -> None:
    page = new_page(f"{app.url}/network?data.dataset=digits")
    at_rest(page)
    page.get_by_role("button", name="Start from").click()
    at_rest(page)
    page.get_by_role("button", name="See what the doctor says").click()
    expect(page.get_by_text("16,384 numbers come in")).to_be_visible()
    at_rest(page)
    expect(page.locator('[role="option"].error')).to_have_count(1)
    expect(page.get_by_role("button", name="Train it")).to_be_disabled()
    page.get_by_role("button", name="Insert an adaptive average pooling").click()
    expect(page.locator('[role="option"].error')).to_have_count(0)
    expect(page.get_by_text("The doctor finds nothing")).to_be_visible()
    at_rest(page)
    page.get_by_role("button", name="Train it").click()
    page.wait_for_url("**/train?**")
    at_rest(page)
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("Epoch", exact=False).first).to_be_visible()


def test_it_is_shaped_by_keyboard_alone(app: App, new_page: Callable[..., Page]) -> None:
    page = new_page(f"{app.url}/network?network.preset=one_conv_net")
    expect(page.locator('[role="option"]')).to_have_count(7)
    press(page, "2", "d")  # max pooling once more
    until(page, lambda found: found.count("Max") == 2)
    press(page, "3", "Alt+ArrowLeft")
    press(page, "2", "Delete")
    until(page, lambda found: found.count("Max") == 1)
    press(page, "0", "a")
    page.keyboard.type("batch n")
    page.keyboard.press("Enter")
    until(page, lambda found: found[:2] == ["Convolution", "Batch"])
    press(page, "0", "Enter")
    expect(page.locator('[data-path="0"]')).to_have_attribute("aria-selected", "true")
    press(page, "0", "Shift+ArrowRight")
    expect(page.locator('[data-path="1"]')).to_have_attribute("aria-selected", "true")
    press(page, "0", "g")
    until(page, lambda found: found[:3] == ["Repeated", "Convolution", "Batch"])
    press(page, "0", "Control+z")
    until(page, lambda found: found[:2] == ["Convolution", "Batch"])
    expect(page.locator('[data-path="0"]')).to_have_attribute("aria-label", LABEL)


@pytest.mark.parametrize("dark", [False, True])
def test_on_a_phone_the_layers_are_a_list(dark: bool, app: App, new_page: Callable[..., Page]) -> None:
    page = new_page(f"{app.url}/network?network.preset=lenet5", 390, 844, dark)
    first, second = page.locator('[data-path="0"]'), page.locator('[data-path="1"]')
    expect(second).to_be_visible()
    at_rest(page)
    one, other = first.bounding_box(), second.bounding_box()
    assert one
    assert other
    assert other["y"] >= one["y"] + one["height"]
    first.click()
    expect(page.get_by_label("Channels", exact=True).first).to_be_in_viewport()
    expect(page.get_by_role("button", name="Duplicate")).to_be_enabled()
    page.wait_for_function("document.documentElement.scrollWidth <= 390")


def test_a_layer_is_dragged_to_another_place(app: App, new_page: Callable[..., Page]) -> None:
    page = new_page(f"{app.url}/network?network.preset=lenet5")
    expect(page.locator('[data-path="1"]')).to_be_visible()
    at_rest(page)
    page.locator('[data-path="1"]').drag_to(page.locator('[data-to="3"]'))
    until(page, lambda found: found[:3] == ["Convolution", "Average", "Tanh"])
