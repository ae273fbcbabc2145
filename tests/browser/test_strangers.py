"""Names of runs, classes, data sets and people stand on every page as they were typed, whatever is in them."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from cnn_core.data.catalogue import versions
from cnn_core.data.catalogue.library import open_dataset
from cnn_core.data.dataset import append_images, finish
from cnn_core.planning.recipe import starting_recipe
from cnn_core.recipe import Recipe
from pages.ui.frame.errors import WORD_JOINER
from pages.ui.understand.confusion import shortened
from tests.browser.conftest import App
from tests.browser.test_pages import settled
from tests.browser.waiting import still, until
from tests.pages.conftest import train
from tests.strangers import NAMES

pytestmark = pytest.mark.browser
OWNER = "romeo"
TITLE = ("delta", "golf")  # a name has at most 80 characters
RUN_NAMES = (("alpha", "foxtrot", "bravo"), ("charlie", "india", "juliett"), ("kilo",))


def joined(words: tuple[str, ...]) -> str:
    return " ".join(NAMES[word] for word in words)


@pytest.fixture
def dataset(home: Path) -> str:
    """The digits with a stranger's classes, title and owner, and with sealed test images."""
    digits, classes = open_dataset("digits"), tuple(NAMES.values())
    labels = np.arange(len(digits.labels)) % len(classes)
    with versions.drafted() as folder:
        for _ in append_images(folder, digits.shape, [digits.images]):
            pass
        finish(folder, versions.id_of(folder), labels, classes, digits.splits)
        return versions.add(folder, joined(TITLE), NAMES[OWNER]).id


@pytest.fixture
def run_ids(dataset: str) -> list[str]:
    values = starting_recipe(dataset, "simple_cnn").model_dump()
    values["training"] |= {"epochs": 1, "batch_size": 256}
    return [train(Recipe.model_validate(values), joined(words)) for words in RUN_NAMES]


def read(page: Page) -> str:
    """All that stands on the page, toasts, dialogs and opened menus included."""
    return page.locator("body").inner_text().replace(WORD_JOINER, "")


def literal(page: Page, *expected: str) -> None:
    """The expected names are on the page, and every name that is there is there as it was typed."""
    settled(page)
    for word in expected:
        expect(page.locator("body")).to_contain_text(re.compile(word))
    shown = read(page)
    for word, name in NAMES.items():
        short = shortened(name)  # on the axes of the confusion matrix
        cut = shown.count(short) if word in short and short != name else 0
        assert shown.count(word) == shown.count(name) + cut, f"{word} on {page.url}"
    assert page.locator("a[href*=evil], a[href*=example], a[href^=mailto]").count() == 0
    assert page.locator(".katex, img[src*=evil], img[alt='Streamlit logo']").count() == 0
    assert not page.evaluate("window.hacked")


def dropdown(page: Page, label: str, *expected: str) -> None:
    """The options of a select box, opened."""
    page.get_by_role("combobox", name=label, exact=True).click()
    expect(page.get_by_role("option").first).to_be_visible()
    literal(page, *expected)
    page.keyboard.press("Escape")


def test_names_are_literal_on_every_page(dataset: str, run_ids: list[str], app: App, new_page: Callable) -> None:
    page, classes, last = new_page(app.url), list(NAMES), run_ids[-1]
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    literal(page, *(word for words in RUN_NAMES for word in words))
    shown_on = {
        f"data?dataset={dataset}&view=samples": [OWNER, *classes[:10]],
        f"data?dataset={dataset}&view=samples&page=2": classes[10:],
        f"data?dataset={dataset}&view=classes": classes,
        f"data?dataset={dataset}&view=pixels": [],
        f"data?dataset={dataset}&view=map": [],
        f"data?dataset={dataset}&view=labels": [],
        f"data?dataset={dataset}&view=image&image=3": [classes[3]],
        f"augmentation?data.dataset={dataset}": classes[:1],
        f"train?data.dataset={dataset}": TITLE,
        f"train?run={last}": RUN_NAMES[-1],
        f"evaluate?run={last}&true=10&predicted=-1": [classes[10]],
        f"inside?run={last}": [],
        f"classify?run={last}": [],
        f"runs?runs={','.join(run_ids)}": [],
        "evaluate?run=www.alpha.example": ["alpha"],
    }
    for address, expected in shown_on.items():
        page.goto(f"{app.url}/{address}")
        literal(page, *expected)
    opened_menus(page, app, dataset, last)
    confirmation(page, app, run_ids)
    assert not [url for url in asked if "127.0.0.1" not in url and not url.startswith(("data:", "blob:"))]


def opened_menus(page: Page, app: App, dataset: str, run_id: str) -> None:
    """What select boxes and the pointer bring to light."""
    page.goto(f"{app.url}/inside?run={run_id}")
    dropdown(page, "Class", "alpha", "bravo", "charlie")
    dropdown(page, "Run", *RUN_NAMES[-1])
    page.goto(f"{app.url}/data?dataset={dataset}&view=classes")
    chart = page.get_by_test_id("stEChartsChart")
    expect(chart.locator("canvas").first).to_be_visible()
    until(lambda: pointed_at(page, chart), chart.get_by_text(NAMES["juliett"]).count)  # the class in the middle
    literal(page, "juliett")


def pointed_at(page: Page, chart: Locator) -> None:
    """The pointer comes to the middle of a chart: one that is not drawn yet takes no notice."""
    box = still(chart)
    page.mouse.move(0, 0)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=3)


def confirmation(page: Page, app: App, run_ids: list[str]) -> None:
    """The dialog that asks whether runs may go."""
    page.goto(f"{app.url}/runs?runs={','.join(run_ids)}")
    page.get_by_test_id("stMain").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    literal(page, *(word for words in RUN_NAMES for word in words))
