"""The whole story as a person lives it: one click, live curves, a reload, a crash, and what was learned."""

import io
import os
import re
import signal
import time
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from cnn_core.jobs.executors.local_pool import wait_until_ready
from cnn_core.runs.store import store
from cnn_core.runs.tables import Run
from tests.browser.conftest import App
from tests.browser.waiting import PATIENCE, at_rest, wait_for

pytestmark = pytest.mark.browser
NewPage = Callable[..., Page]


def run_in(page: Page) -> Run:
    """The run that the address names, as the store has it."""
    found = re.search(r"run=([0-9a-f]{8})", page.url)
    assert found, page.url
    return store().get(found[1])


def badge(page: Page, status: str, seconds: float = PATIENCE) -> None:
    expect(page.locator(".stMarkdownBadge", has_text=status)).to_be_visible(timeout=seconds * 1000)


def charts(page: Page) -> None:
    """Both live charts are drawn."""
    expect(page.get_by_test_id("stEChartsChart").locator("canvas").first).to_be_visible()


def press(page: Page, name: str) -> None:
    button = page.get_by_test_id("stMain").get_by_role("button", name=name)
    expect(button).to_have_count(1)  # a redrawn page keeps the old one until the new one is there
    button.click()


def open_from_menu(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


def choose(page: Page, label: str, option: str) -> None:
    box = page.get_by_role("combobox", name=label, exact=True)
    expect(box).to_have_count(1)
    box.click()
    box.fill(option)
    page.get_by_role("option", name=option, exact=True).click()


def open_editor(page: Page, part: str) -> None:
    """One of the four parts of Train; another one that is open closes."""
    at_rest(page)
    page.locator(f".st-key-edit-{part.lower()}").get_by_role("button").click()
    expect(page.get_by_test_id("stPopoverBody")).to_have_count(1)


def test_the_whole_story(app: App, new_page: NewPage) -> None:
    page = new_page(app.url)
    first = first_experiment(page)
    a_second_browser_sees_it(new_page, page)
    pause_resume_and_stop(page, first)
    second = a_run_survives_its_worker(page)
    evaluate(page, second)
    inside(page)
    classify(page)
    compare(page)


def first_experiment(page: Page) -> str:
    """One click on Home; points appear; a reload in the middle brings everything back."""
    wait_until_ready()
    press(page, "Run the first experiment")
    page.wait_for_url("**/train?run=*")
    charts(page)
    badge(page, "running")
    before = run_in(page).step
    page.reload()
    badge(page, "running")
    charts(page)
    wait_for(lambda: run_in(page).step > before)
    return run_in(page).id


def a_second_browser_sees_it(new_page: NewPage, page: Page) -> None:
    other = new_page(page.url, width=390, height=844, dark=True)
    badge(other, "running")
    charts(other)
    epoch = other.get_by_text(re.compile(r"^Epoch [\d.]+ of 10"))
    expect(epoch).not_to_have_text(epoch.inner_text())  # it moves by itself
    other.close()


def pause_resume_and_stop(page: Page, run_id: str) -> None:
    rate = store().get(run_id).learning_rate
    page.get_by_text("÷ 10", exact=True).click()
    wait_for(lambda: store().get(run_id).learning_rate < rate / 2)
    press(page, "Pause")
    badge(page, "paused")
    still = store().get(run_id).step
    time.sleep(0.5)
    assert store().get(run_id).step == still
    press(page, "Resume")
    badge(page, "running")
    wait_for(lambda: store().get(run_id).best_epoch)
    press(page, "Stop")
    badge(page, "stopped")
    expect(page.get_by_text("See what it learned")).to_be_visible()


def a_run_survives_its_worker(page: Page) -> str:
    """kill -9 on the worker leaves an interrupted run; one click and it goes on to the end."""
    open_editor(page, "Data")
    choose(page, "Data", "Digits 8 × 8")
    page.wait_for_url("**data.dataset=digits**")
    open_editor(page, "Network")
    choose(page, "Network", "Simple CNN")
    page.wait_for_url("**network.preset=simple_cnn**")
    at_rest(page)
    open_editor(page, "Training")
    page.get_by_role("spinbutton", name="Epochs").fill("30")
    page.get_by_role("spinbutton", name="Epochs").press("Enter")
    page.wait_for_url("**training.epochs=30**")
    page.get_by_test_id("stMain").get_by_role("button", name="Train", exact=True).click()
    page.wait_for_url(re.compile(r"train\?run=[0-9a-f]{8}$"))
    badge(page, "running")
    wait_for(lambda: run_in(page).best_epoch)
    (worker,) = store().workers()
    os.kill(worker.pid, signal.SIGKILL)
    badge(page, "interrupted")
    press(page, "Resume")
    badge(page, "finished", seconds=180)
    run = run_in(page)
    assert run.test_accuracy
    assert run.test_accuracy > 0.9
    return run.id


def evaluate(page: Page, run_id: str) -> None:
    page.get_by_test_id("stMain").get_by_role("link", name="Evaluate").click()
    page.wait_for_url(f"**/evaluate?run={run_id}")
    accuracy = store().get(run_id).test_accuracy or 0
    expect(page.get_by_text(f"{accuracy * 100:.2f}%").first).to_be_visible()
    expect(page.get_by_test_id("stPlotlyChart")).to_be_visible()
    choose(page, "It is", "8")
    choose(page, "Predicted class", "8")
    page.wait_for_url("**predicted=8**")
    expect(page.locator(".cnn-gallery figure").first).to_be_visible()


def inside(page: Page) -> None:
    open_from_menu(page, "Inside")
    expect(page.get_by_text("confidence")).to_be_visible()
    expect(page.get_by_role("slider", name="Epoch")).to_be_visible()


def classify(page: Page) -> None:
    open_from_menu(page, "Classify")
    expect(page.locator(".cnn-bars").first).to_be_visible()
    at_rest(page)
    image = io.BytesIO()
    Image.fromarray(np.full((60, 40), 200, np.uint8)).save(image, "PNG")
    files = [("mine.png", image.getvalue()), ("broken.png", b"\x89PNG nonsense")]
    page.locator("input[type=file]").set_input_files(
        [{"name": name, "mimeType": "image/png", "buffer": data} for name, data in files]
    )
    expect(page.get_by_test_id("stAlert").get_by_text("broken.png")).to_be_visible()
    expect(page.get_by_text("the network gets this")).to_have_count(1)
    expect(page.locator(".cnn-bars")).to_have_count(1)


def compare(page: Page) -> None:
    open_from_menu(page, "Runs")
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible()
    ids = ",".join(run.id for run in store().runs())
    page.goto(page.url.split("?")[0] + f"?runs={ids}")
    expect(page.get_by_text("Side by side")).to_be_visible()
    expect(page.get_by_text("What differs in their recipes")).to_be_visible()
    charts(page)
