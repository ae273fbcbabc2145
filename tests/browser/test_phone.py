"""The pages on a phone: nothing is cut off, and a running run's controls follow its chart."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from cnn_core.jobs.executors.local_pool import wait_until_ready
from cnn_core.jobs.queue import submit
from cnn_core.planning.recipe import starting_recipe
from cnn_core.recipe import Recipe
from cnn_core.runs.store import store
from tests.browser.conftest import App
from tests.browser.waiting import at_rest, fits, wait_for

pytestmark = pytest.mark.browser
NewPage = Callable[..., Page]

CUT = """selector => {
  const box = document.querySelector(selector), edge = box.parentElement.getBoundingClientRect().right + 1
  const last = Math.max(...[...box.children].map(part => part.getBoundingClientRect().right))
  return last > edge && box.scrollWidth <= box.clientWidth
}"""


def long_run() -> str:
    values = starting_recipe("digits", "mlp").model_dump()
    values["training"] |= {"epochs": 1000, "batch_size": 16}
    return submit(Recipe.model_validate(values))


def in_order(page: Page, selectors: list[str]) -> bool:
    """Whether these follow one another down the page."""
    boxes = [page.locator(selector).first.bounding_box() for selector in selectors]
    tops = [box["y"] for box in boxes if box]
    return len(tops) == len(selectors) and tops == sorted(tops)


def test_a_phone_shows_what_happens_then_the_chart_then_the_controls(app: App, new_page: NewPage) -> None:
    run_id = long_run()
    page = new_page(f"{app.url}/train?run={run_id}", width=390, height=844)
    wait_until_ready(180)
    wait_for(lambda: store().get(run_id).step > 20)
    expect(page.get_by_text("Change the learning rate")).to_be_visible()
    expect(page.get_by_test_id("stEChartsChart")).to_have_count(2)
    order = [".stProgress", "[data-testid=stEChartsChart]", ".st-key-run-controls", ".st-key-train", ".cnn-network"]
    page.get_by_text("The network", exact=True).click()
    expect(page.locator(".cnn-network")).to_be_visible()
    wait_for(lambda: in_order(page, order))
    wait_for(lambda: not page.evaluate(CUT, ".cnn-network"))
    page.wait_for_function(
        "Math.max(...[...document.querySelectorAll('.cnn-network .layer')]"
        ".map(part => part.getBoundingClientRect().right)) <= 390"
    )
    page.get_by_test_id("stMain").get_by_role("button", name="Stop").click()
    wait_for(lambda: store().get(run_id).status == "stopped")


def test_numbers_of_an_image_scroll_inside_and_say_so(app: App, new_page: NewPage) -> None:
    page = new_page(f"{app.url}/data?view=image", width=390, height=844)
    grid = page.locator(".cnn-numbers")
    expect(grid).to_be_visible()
    at_rest(page)
    fits(page)
    assert grid.evaluate("box => box.scrollWidth > box.clientWidth && getComputedStyle(box).overflowX == 'auto'")
    assert "Swipe" in grid.evaluate("box => getComputedStyle(box, '::after').content")
