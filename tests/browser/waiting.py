"""Waiting for a page, as a person does before they type."""

from playwright.sync_api import Page


def at_rest(page: Page) -> None:
    """The server has drawn all of the page: a widget that is redrawn would lose its files."""
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
