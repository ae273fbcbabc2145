"""Painting a kernel in a real browser: by pointer, by finger and by keyboard."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ROOT, free_port, healthy
from tests.browser.waiting import still, wait_for

pytestmark = pytest.mark.browser

SCRIPT = """
import numpy as np
import streamlit as st
from pages.ui.inside.kernel_paint import kernel_paint

start = np.zeros((3, 3))
start[1, 1] = 4
st.code([list(row) for row in kernel_paint(start, "paint")], language=None)
"""


@pytest.fixture
def painting(tmp_path: Path) -> Iterator[str]:
    """The address of a page that shows the component, and below it what Python gets."""
    port, script = free_port(), tmp_path / "paint.py"
    script.write_text(SCRIPT)
    options = {"server.headless": "true", "server.port": str(port), "server.address": "127.0.0.1"}
    command = [sys.executable, "-m", "streamlit", "run", str(script), *(f"--{k}={v}" for k, v in options.items())]
    with (tmp_path / "app.log").open("wb") as log:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(lambda: healthy(url))
            yield url
        finally:
            process.terminate()
            process.wait(timeout=60)


def cell(page: Page, row: int, column: int) -> tuple[float, float]:
    """The middle of a cell, counted from 1."""
    box = still(page.get_by_label(f"Row {row}, column {column}:"))
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def python_has(page: Page, *rows: list[float]) -> None:
    expect(page.get_by_test_id("stCode")).to_contain_text(str([[float(value) for value in row] for row in rows]))


def test_painting_by_pointer_keyboard_and_finger(
    painting: str, new_page: Callable[..., Page], browser: Browser
) -> None:
    page = new_page(painting)
    python_has(page, [0, 0, 0], [0, 1, 0], [0, 0, 0])
    page.get_by_label("Brush −1", exact=True).click()
    page.mouse.move(*cell(page, 1, 1))
    page.mouse.down()
    page.mouse.move(*cell(page, 1, 3), steps=8)
    page.mouse.up()
    python_has(page, [-1, -1, -1], [0, 1, 0], [0, 0, 0])
    page.get_by_label("Row 1, column 1:").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "+", "+", "ArrowRight", "Enter", "ArrowUp", "-", "ArrowUp", "0"):
        page.keyboard.press(key)
    python_has(page, [-1, 0, -1], [0, 0.75, 0], [0.5, -1, 0])
    page.get_by_role("button", name="Clear all").click()
    python_has(page, [0, 0, 0], [0, 0, 0], [0, 0, 0])

    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    phone = context.new_page()
    phone.goto(painting)
    python_has(phone, [0, 0, 0], [0, 1, 0], [0, 0, 0])
    phone.get_by_label("Brush 0.5", exact=True).tap()
    phone.touchscreen.tap(*cell(phone, 3, 3))
    python_has(phone, [0, 0, 0], [0, 1, 0], [0, 0, 0.5])
    context.close()
