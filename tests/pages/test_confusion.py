"""Digits of the confusion matrix are legible on every shade of both themes."""

import numpy as np
import pytest
import streamlit as st

from pages.ui.understand.confusion import MOST_TICKS, _figure, digit_colours, luminance, shortened

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


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a" * 16, "a" * 16),
        ("abcdefgh_i_jklmnop", "abcdefgh…jklmnop"),
        ("a" * 33 + "b" * 33, "aaaaaaaa…bbbbbbb"),
        ("", ""),
    ],
)
def test_a_long_name_is_shortened_in_the_middle(name: str, expected: str) -> None:
    assert shortened(name) == expected


def test_long_names_that_look_the_same_when_shortened_stay_apart_and_whole_in_the_tooltip() -> None:
    classes = [f"a class whose {what} is in the middle" for what in ("name", "<b>", "end")]
    figure = _figure(np.eye(3, dtype=int), classes, (0, 1), ["#ffffff", "#000000"])
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        assert list(axis.ticktext) == ["a class … middle"] * 3
        assert list(axis.tickvals) == list(figure.data[0].x) == list(figure.data[0].y)
    assert list(figure.data[0].x) == [classes[0], classes[1].replace("<b>", "&lt;b&gt;"), classes[2]]
    assert "%{x}" in figure.data[0].hovertemplate


@pytest.mark.parametrize(("classes", "ticks"), [(20, 20), (21, 11), (100, 20), (101, 17)])
def test_many_classes_have_only_some_of_their_names_on_an_axis(classes: int, ticks: int) -> None:
    figure = _figure(np.eye(classes, dtype=int), [str(n) for n in range(classes)], (0, 1), ["#ffffff", "#000000"])
    assert len(figure.layout.xaxis.tickvals) == len(figure.layout.xaxis.ticktext) == ticks <= MOST_TICKS
