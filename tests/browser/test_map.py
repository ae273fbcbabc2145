"""The map of a data set: a box drawn on it shows the images inside."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import App
from tests.browser.waiting import still, until

pytestmark = pytest.mark.browser


def test_a_box_on_the_map_shows_its_images(app: App, new_page: Callable[..., Page]) -> None:
    page = new_page(f"{app.url}/data?dataset=digits&view=map")
    plot = page.locator(".stPlotlyChart .nsewdrag")
    expect(plot).to_be_visible()  # scikit-learn and Plotly are loaded first
    expect(page.get_by_text("Nothing is selected")).to_be_visible()
    images = page.locator(".cnn-gallery figure")
    until(lambda: a_box(page, plot), images.count, each=15)  # a chart that gets its final size loses the box
    expect(page.get_by_text("selected, 60 of them shown")).to_be_visible()
    expect(images).to_have_count(60)


def a_box(page: Page, plot: Locator) -> None:
    """Drawn by the pointer in the middle of a chart."""
    area = still(plot)
    x, y = area["x"] + area["width"] / 2, area["y"] + area["height"] / 2
    page.mouse.move(x - 70, y - 70)
    page.mouse.down()
    page.mouse.move(x, y, steps=5)
    page.mouse.move(x + 70, y + 70, steps=5)
    page.mouse.up()
