"""Digits of the confusion matrix are legible on every shade of both themes."""

import numpy as np
import pytest
import streamlit as st

from pages.ui.confusion import digit_colours, luminance

LEGIBLE = 4.5  # WCAG 2, level AA


def rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])


@pytest.mark.parametrize("theme", ["theme", "theme.dark"])
def test_every_digit_contrasts_with_its_cell(theme: str) -> None:
    scale = st.get_option(f"{theme}.chartSequentialColors")
    fractions = np.linspace(0, 1, 181)[None]
    colours = digit_colours(fractions, scale)[0]
    assert set(colours) == {"#000000", "#FFFFFF"}
    position = fractions[0] * (len(scale) - 1)
    for at, colour in zip(position, colours, strict=True):
        below = min(int(at), len(scale) - 2)
        cell = rgb(scale[below]) + (at - below) * (rgb(scale[below + 1]) - rgb(scale[below]))
        low, high = sorted((float(luminance(cell)), float(luminance(rgb(colour)))))
        assert (high + 0.05) / (low + 0.05) >= LEGIBLE


def test_luminance_is_that_of_the_standard() -> None:
    assert luminance(np.array([[0.0, 0, 0], [1, 1, 1], [1, 0, 0]])) == pytest.approx([0, 1, 0.2126])
    assert luminance(rgb("#777777")) == pytest.approx(0.1845, abs=1e-4)
