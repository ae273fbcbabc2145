"""Two people at one server: what one does shows in the other's browser, without a reload."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from cnn_core.jobs.queue import command
from cnn_core.planning.recipe import check
from cnn_core.runs.store import store
from tests.browser.conftest import App
from tests.browser.test_pages import settled
from tests.browser.waiting import wait_for
from tests.pages.conftest import digits_recipe

pytestmark = pytest.mark.browser
NewPage = Callable[..., Page]


@pytest.fixture
def paused(home: object) -> str:
    """A paused run of a worker that is not of this server's: nobody takes it by itself."""
    run_id = store().create(check(digits_recipe("simple_cnn", 1000)), "Ours")
    command(run_id, "pause")
    return run_id


def opened(new_page: NewPage, url: str) -> Page:
    page = new_page(url)
    settled(page)
    return page


def test_a_resumed_run_comes_alive_in_every_browser(paused: str, app: App, new_page: NewPage) -> None:
    """The others look at it on Train, Runs and Home, and see it come alive."""
    train, runs, home, listed = (
        opened(new_page, f"{app.url}/{address}") for address in (f"train?run={paused}", "runs", "", "train")
    )
    expect(train.locator(".stMarkdownBadge", has_text="paused")).to_be_visible()
    expect(home.locator(".stMarkdownBadge", has_text="paused")).to_be_visible()
    mine = opened(new_page, f"{app.url}/train?run={paused}")
    mine.get_by_test_id("stMain").get_by_role("button", name="Resume").click()
    alive = re.compile("queued|starting|running")
    for page in (mine, train, home):
        expect(page.locator(".stMarkdownBadge", has_text=alive)).to_be_visible()
    expect(train.get_by_test_id("stMain").get_by_role("button", name="Stop")).to_be_visible()
    expect(listed.get_by_text(re.compile("Ours is (queued|starting|running)"))).to_be_visible()
    mine.get_by_test_id("stMain").get_by_role("button", name="Stop").click()
    expect(train.locator(".stMarkdownBadge", has_text="stopped")).to_be_visible()
    renamed_by_enter(runs, app, paused)
    expect(home.get_by_text("Theirs")).to_be_visible()


def renamed_by_enter(page: Page, app: App, run_id: str) -> None:
    """Enter saves a name."""
    page.goto(f"{app.url}/runs?runs={run_id}")
    page.get_by_role("button", name="Rename").click()
    box = page.get_by_role("textbox", name="New name")
    box.fill("Theirs")
    box.press("Enter")
    expect(page.get_by_text("Theirs").first).to_be_attached()
    wait_for(lambda: store().get(run_id).name == "Theirs")
