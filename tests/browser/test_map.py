"""The map of a data set: a box drawn on it shows the images inside."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import App

pytestmark = pytest.mark.browser


def test_a_box_on_the_map_shows_its_images(app: App, new_page: Callable[..., Page]) -> None:
    page = new_page(f"{app.url}/data?dataset=digits&view=map")
    plot = page.locator(".stPlotlyChart .nsewdrag")
    expect(plot).to_be_visible(timeout=30_000)  # scikit-learn and Plotly are loaded first
    expect(page.get_by_text("Nothing is selected")).to_be_visible()
    page.wait_for_timeout(1000)  # until the chart has its final size
    area = plot.bounding_box()
    assert area
    x, y = area["x"] + area["width"] / 2, area["y"] + area["height"] / 2
    page.mouse.move(x - 70, y - 70)
    page.mouse.down()
    page.mouse.move(x, y, steps=5)
    page.mouse.move(x + 70, y + 70, steps=5)
    page.mouse.up()
    expect(page.locator(".cnn-gallery figure").first).to_be_visible(timeout=15_000)
    expect(page.get_by_text("selected, 60 of them shown")).to_be_visible()
    expect(page.locator(".cnn-gallery figure")).to_have_count(60)
