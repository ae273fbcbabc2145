"""Waiting for a page, as a person does: until it is drawn, until it holds still, until an act shows.

A comparison of one moment and a fixed sleep both fail on a busy machine; each of these looks again and again.
"""

import time
from collections.abc import Callable

from playwright.sync_api import FloatRect, Locator, Page, expect

PATIENCE = 60.0  # s: other tests compute on the same cores
LOOK = 0.05  # s between two looks


def wait_for(what: Callable[[], object], seconds: float = PATIENCE) -> float:
    """Block until `what()` is true. Returns the seconds it took."""
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < seconds, "waited too long"
        time.sleep(LOOK)
    return time.monotonic() - began


def at_rest(page: Page) -> None:
    """The server has drawn all of the page: a widget that is redrawn would lose its files."""
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')


def still(locator: Locator) -> FloatRect:
    """Where an element is, once it has not moved for half a second: what loads above it pushes it down."""
    seen: list[FloatRect | None] = []

    def same() -> bool:
        seen.append(locator.bounding_box())
        return len(seen) > 10 and seen[-1] is not None and all(box == seen[-1] for box in seen[-10:])

    wait_for(same)
    assert seen[-1]
    return seen[-1]


def until(act: Callable[[], object], shows: Callable[[], object], each: float = 5.0, seconds: float = PATIENCE) -> None:
    """Do something that may do no harm twice, again every `each` seconds, until it shows: a canvas that is not drawn
    yet takes no pointer."""
    began = time.monotonic()
    while not shows():
        assert time.monotonic() - began < seconds, "it never showed"
        act()
        tried = time.monotonic()
        while not shows() and time.monotonic() - tried < each:
            time.sleep(LOOK)


def tick(table: Locator, row: int | None = None) -> None:
    """Tick a row of a `st.dataframe`, from 0, or all rows by its header. The table is drawn on a canvas; the one for
    screen readers inside says what is drawn and ticked."""
    drawn, shown = table.locator("canvas tr[aria-selected]"), table.locator("canvas tr[aria-selected=true]")
    chosen = shown if row is None else table.locator(f"canvas tr[aria-rowindex='{row + 2}'][aria-selected=true]")
    expect(drawn.first).to_be_attached()
    table.scroll_into_view_if_needed()
    place = {"x": 18, "y": 18 if row is None else 54 + 35 * row}

    def ticked() -> bool:
        return bool(chosen.count()) and (row is not None or shown.count() == drawn.count())

    until(lambda: table.click(position=place), ticked)  # type: ignore[arg-type]


def fits(page: Page) -> None:
    """Nothing sticks out to the right, once charts and columns have found their places."""
    page.wait_for_function("document.querySelector('[data-testid=stMain]').scrollWidth <= innerWidth")
