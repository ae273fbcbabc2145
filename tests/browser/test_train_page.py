"""Train on one screen: the four parts, the button, the status and the curves, and the button never moves."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from cnn_core.jobs.executors.local_pool import wait_until_ready
from cnn_core.jobs.queue import submit
from cnn_core.planning.recipe import starting_recipe
from cnn_core.recipe import Recipe
from cnn_core.runs.store import store
from tests.browser.conftest import App, wait_for
from tests.browser.test_pages import fits
from tests.browser.test_story import badge, open_editor, press, run_in
from tests.browser.waiting import at_rest

pytestmark = pytest.mark.browser
NewPage = Callable[..., Page]

PARTS = ("data", "augment", "network", "training")
WATCH = """() => {
  window.places = new Set()
  setInterval(() => {
    const button = document.querySelector('.st-key-train button')
    const box = button && button.getBoundingClientRect()
    window.places.add(box ? [box.x, box.y, box.width, box.height].map(Math.round).join() : 'gone')
  }, 30)
}"""


def long_run(epochs: int = 1000) -> str:
    values = starting_recipe("digits", "mlp").model_dump()
    values["training"] |= {"epochs": epochs, "batch_size": 16}
    return submit(Recipe.model_validate(values))


def bottom(page: Page, selector: str) -> float:
    box = page.locator(selector).last.bounding_box()
    assert box, selector
    return box["y"] + box["height"]


def on_first_screen(page: Page, *more: str) -> None:
    at_rest(page)
    parts = [f".st-key-part-{part}" for part in PARTS]
    for selector in (*parts, ".st-key-train button", *more):
        assert 0 < bottom(page, selector) <= 900, selector
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0


def colour(page: Page, selector: str) -> str:
    return str(page.locator(selector).first.evaluate("button => getComputedStyle(button).backgroundColor"))


def test_all_is_on_one_screen_and_the_button_never_moves(app: App, new_page: NewPage) -> None:
    page = new_page(f"{app.url}/train?data.dataset=digits&network.preset=mlp&training.epochs=300")
    wait_until_ready(180)
    on_first_screen(page, ".st-key-part-data img", ".cnn-network")
    blue = colour(page, ".st-key-train button")
    page.evaluate(WATCH)
    page.get_by_test_id("stMain").get_by_role("button", name="Train", exact=True).click()
    page.wait_for_url("**run=*")
    run = run_in(page)
    wait_for(lambda: store().get(run.id).best_epoch, 60)
    badge(page, "running")
    expect(page.get_by_test_id("stEChartsChart").locator("canvas")).to_have_count(2)
    during = (".st-key-run-status", "[data-testid=stEChartsChart]", ".st-key-run-controls")
    on_first_screen(page, *during)
    assert colour(page, ".st-key-train button") != blue
    assert colour(page, ".st-key-run-controls button") == blue
    press(page, "Stop")
    badge(page, "stopped", 60)
    expect(page.locator(".st-key-run-controls")).to_have_count(0)
    on_first_screen(page, ".st-key-run-status", "[data-testid=stEChartsChart]")
    assert colour(page, ".st-key-train button") == blue
    assert len(page.evaluate("[...window.places]")) == 1


def test_an_editor_stays_open_while_its_choices_change_and_leaves_the_button_free(app: App, new_page: NewPage) -> None:
    for width, height, dark in ((1440, 900, False), (390, 844, True)):
        page = new_page(f"{app.url}/train?data.dataset=digits", width, height, dark)
        at_rest(page)
        open_editor(page, "Training")
        editor = page.get_by_test_id("stPopoverBody")
        expect(editor).to_have_count(1)
        for epochs in (4, 6):
            editor.get_by_role("spinbutton", name="Epochs").fill(str(epochs))
            editor.get_by_role("spinbutton", name="Epochs").press("Enter")
            page.wait_for_url(f"**training.epochs={epochs}**")
            expect(page.locator(".st-key-part-training")).to_contain_text(f"{epochs} epochs")
            expect(editor).to_be_visible()
        box = editor.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        if width > 640:
            assert box["y"] >= bottom(page, ".st-key-train button")
        page.keyboard.press("Escape")
        expect(editor).to_have_count(0)
        fits(page)


def test_a_queued_run_says_so_on_the_first_screen(app: App, new_page: NewPage) -> None:
    first, second = long_run(), long_run()
    page = new_page(f"{app.url}/train?run={second}")
    badge(page, "queued")
    on_first_screen(page, ".st-key-run-status")
    wait_until_ready(180)
    for run_id in (first, second):
        page.goto(f"{app.url}/train?run={run_id}")
        badge(page, "running", 60)
        press(page, "Stop")
        badge(page, "stopped", 60)
