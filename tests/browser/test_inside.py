"""Looking inside a network in a real browser: live while it learns, epoch by epoch, by drawing, by keyboard."""

import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from cnn_core.jobs.queue import command, submit
from cnn_core.planning.recipe import starting_recipe
from cnn_core.recipe import Recipe
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.live import LIVE
from cnn_core.runs.store import store
from tests.browser.conftest import App
from tests.browser.waiting import at_rest, still, tick, until, wait_for

pytestmark = pytest.mark.browser
NewPage = Callable[..., Page]
PROBABILITIES = "stage.entry.frame.probabilities.data"
STAGE = "[...window.cnnPlaygroundStages.stages.values()][0]"


def recipe(epochs: int) -> Recipe:
    values = starting_recipe("digits", "simple_cnn").model_dump()
    values["training"] |= {"epochs": epochs}
    return Recipe.model_validate(values)


def on_stage(page: Page, what: str) -> Any:
    """Something of the stage on a page, by JavaScript: `stage` is the stage."""
    return page.evaluate(f"() => {{ const stage = {STAGE}; return {what}; }}")


def wait_on_stage(page: Page, what: str) -> None:
    stages = "[...(window.cnnPlaygroundStages?.stages.values() ?? [])]"
    page.wait_for_function(f"() => {{ const stage = {stages}[0]; return stage && ({what}); }}")


def test_watching_a_run_learn_and_looking_inside(app: App, new_page: NewPage) -> None:
    page = new_page(app.url)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    run_id = submit(recipe(epochs=400))
    live(page, app, run_id)
    wait_for(lambda: len(RunFolder(run_id).epochs()) > 8)  # there is something to play
    command(run_id, "stop")
    wait_for(lambda: not store().get(run_id).live)
    wait_for(lambda: LIVE not in RunFolder(run_id).files.names())  # right after the end is recorded
    scrub(page, app, run_id)
    by_keyboard(page)
    draw(page, app, run_id)
    upload(page, app, run_id)
    silence(page, app, run_id)
    assert not errors


def live(page: Page, app: App, run_id: str) -> None:
    """The stage follows the weights between the ends of epochs, with norms beside it."""
    wait_for(lambda: store().get(run_id).status == "running")
    page.goto(f"{app.url}/train?run={run_id}")
    wait_on_stage(page, "stage.entry?.head.live")
    step, *before = on_stage(page, f"[stage.entry.head.live.step, ...{PROBABILITIES}]")  # of one moment
    wait_on_stage(page, f"stage.entry.head.live.step > {step} && String([...{PROBABILITIES}]) !== String({before})")
    assert on_stage(page, "Object.keys(stage.entry.head.health).length") > 5
    expect(page.get_by_text(re.compile("live · epoch"))).to_be_visible()
    expect(page.locator(".health").first).to_be_visible()
    wait_for(lambda: bool(store().get(run_id).best_epoch))
    page.goto(f"{app.url}/inside?run={run_id}")
    wait_on_stage(page, "stage.entry?.head.live")
    step = on_stage(page, "stage.entry.head.live.step")
    wait_on_stage(page, f"stage.entry.head.live.step > {step}")
    slider = page.get_by_role("slider", name="Epoch")
    slider.focus()
    page.keyboard.press("Home")
    wait_on_stage(page, "stage.entry.head.epoch === 0")
    page.keyboard.press("End")
    wait_on_stage(page, "stage.entry.head.epoch === 'live'")


def scrub(page: Page, app: App, run_id: str) -> None:
    """Every kept epoch, from the random start to the last: maps, bars, matrix and F1 move together."""
    page.goto(f"{app.url}/inside?run={run_id}")
    wait_on_stage(page, "stage.entry")
    epochs = on_stage(page, "stage.entry.head.epochs")
    assert epochs[0] == 0
    slider = page.get_by_role("slider", name="Epoch")
    slider.focus()
    page.keyboard.press("Home")
    seen = []
    for epoch in epochs[:6]:
        wait_on_stage(page, f"stage.entry.head.epoch === {epoch}")
        seen.append(on_stage(page, "[stage.entry.measures.accuracy, ...stage.entry.frame.nodes[1].maps.data]"))
        page.keyboard.press("ArrowRight")
    assert len({str(one) for one in seen}) == len(seen)
    other = next(epoch for epoch in epochs if epoch != store().get(run_id).best_epoch)  # the best is not named
    page.keyboard.press("Home")
    for _ in range(epochs.index(other)):
        page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile(rf"epoch={other}\b"))
    play = page.get_by_role("button", name="Play the epochs")
    page.keyboard.press("Home")
    play.click()
    wait_on_stage(page, f"stage.entry.head.epoch >= {epochs[1]}")
    page.get_by_role("button", name="Pause").click()


def by_keyboard(page: Page) -> None:
    """From map to map with the arrows, its arithmetic with Enter, the window with arrows, back with Escape."""
    area = page.get_by_role("application", name=re.compile("^The network at work"))
    area.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".spoken").first).to_contain_text("The image")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".spoken").first).to_contain_text("of Convolution")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"How map \d+ comes about"))).to_be_visible()
    page.get_by_role("application", name=re.compile("^Output")).focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".panel .equation b").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".panel")).to_have_count(0)
    page.get_by_role("button", name=re.compile(r"^\+\d+$")).first.click()
    expect(page.locator(".panel .every button").first).to_be_visible()
    page.keyboard.press("Escape")


def draw(page: Page, app: App, run_id: str) -> None:
    """A stroke on the canvas: the bars answer."""
    page.goto(f"{app.url}/inside?run={run_id}&from=drawing")
    wait_on_stage(page, "stage.entry")
    at_rest(page)
    before = on_stage(page, f"String([...{PROBABILITIES}])")
    until(lambda: stroke(page), lambda: on_stage(page, f"String([...{PROBABILITIES}])") != before)
    wait_on_stage(page, "Math.max(...stage.entry.frame.image.data) > 200")
    page.get_by_role("button", name="Clear").click()
    wait_on_stage(page, "Math.max(...stage.entry.frame.image.data) === 0")


def stroke(page: Page) -> None:
    """Down the middle of the canvas."""
    box = still(page.get_by_role("img", name="Canvas to draw on"))
    page.mouse.move(box["x"] + 66, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 66, box["y"] + 110, steps=8)
    page.mouse.up()


def upload(page: Page, app: App, run_id: str) -> None:
    page.goto(f"{app.url}/inside?run={run_id}&from=upload")
    wait_on_stage(page, "stage.entry")
    at_rest(page)
    image = io.BytesIO()
    Image.fromarray(np.linspace(0, 255, 1600).reshape(40, 40).astype(np.uint8)).save(image, "PNG")
    page.locator("input[type=file]").set_input_files(
        [{"name": "mine.png", "mimeType": "image/png", "buffer": image.getvalue()}]
    )
    wait_on_stage(page, "stage.entry.head.truth === null")
    page.get_by_role("radio", name="Why", exact=True).or_(page.get_by_role("button", name="Why", exact=True)).click()
    expect(page.get_by_text(re.compile("^Sanity check: Grad-CAM for"))).to_be_visible()
    page.locator("input[type=file]").set_input_files(
        [{"name": "mine.png", "mimeType": "image/png", "buffer": image.getvalue()}]
    )
    at_rest(page)
    expect(page.get_by_alt_text(re.compile("^Grad-CAM for")).first).to_be_visible()
    expect(page.locator(".cnn-regions")).to_have_count(4)


def silence(page: Page, app: App, run_id: str) -> None:
    """Maps of a layer, ticked in its ranking: one is silenced, then all, and accuracy falls to that of a guess. Of one
    alone, however much it matters, as many predictions can become right as become wrong."""
    page.goto(f"{app.url}/inside?run={run_id}&view=surgery")
    at_rest(page)
    expect(page.get_by_text("no change")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Rank")).click()
    table = page.get_by_test_id("stDataFrame").first
    tick(table, row=0)
    expect(page.get_by_text("1 edit", exact=True)).to_be_visible()
    expect(page.get_by_text(re.compile("silenced$"))).to_have_count(1)
    at_rest(page)
    tick(table)
    expect(page.get_by_text(re.compile("silenced$"))).to_have_count(16)
    expect(page.get_by_text("no change")).to_have_count(0)
