"""Widgets made from the pydantic fields of a recipe: type, range, default, help, unit and scale are the field's own."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin

import annotated_types
import streamlit as st
from pydantic.fields import FieldInfo

from cnn_core.recipe import noted
from pages.ui.words import label, option

Changed = Callable[[str], None]  # called with the widget's key after a person changed it


def widget(
    key: str, name: str, field: FieldInfo, value: Any, changed: Changed, titled: bool = True, slide_to: float = 0
) -> None:
    """Draw the widget of one field. Its value is in the session state under `key`; `value` is shown now.

    `slide_to`: a number with a linear scale is a slider up to this, or to the field's own limit where that is less.
    """
    low, high = limits(field)
    if isinstance(value, int | float):  # between an open end and the first step from it
        low, high = (None if low is None else min(low, value)), (None if high is None else max(high, value))
    shared: dict[str, Any] = {
        "label": label(name, noted(field, "unit")),
        "key": key,
        "help": field.description,
        "label_visibility": "visible" if titled else "collapsed",
        "on_change": changed,
        "args": (key,),
    }
    st.session_state[key] = value
    if get_origin(field.annotation) is Literal:
        st.selectbox(options=get_args(field.annotation), format_func=option, **shared)
    elif field.annotation is bool:
        st.toggle(**shared)
    elif slide_to and not noted(field, "log"):
        top = type(low)(max(value, min(high, slide_to)))
        shown = "%d" if field.annotation is int else "%g"
        st.slider(min_value=low, max_value=top, step=type(low)(_step(field)), format=shown, **shared)
    elif field.annotation is int and not noted(field, "log"):
        st.number_input(min_value=low, max_value=high, step=1, **shared)
    elif field.annotation is int:
        st.select_slider(options=_with(powers_of_two(low or 1, high), value), **shared)
    elif noted(field, "log"):
        st.select_slider(options=_with(one_two_five(high), value), format_func=lambda size: f"{size:g}", **shared)
    else:
        st.number_input(min_value=low, max_value=high, step=_step(field), format="%g", **shared)


def needed(field: FieldInfo, values: dict[str, Any]) -> bool:
    """Whether a field matters, given the fields beside it: `needs` is "name=value|value"."""
    needs = noted(field, "needs")
    if not needs:
        return True
    name, wanted = needs.split("=")
    return str(values[name]) in wanted.split("|")


def limits(field: FieldInfo) -> tuple[Any, Any]:
    """Smallest and largest value a person can type; open ends are moved in by one step."""
    low: Any = None
    high: Any = None
    step = _step(field)
    for rule in field.metadata:
        if isinstance(rule, annotated_types.Ge):
            low = rule.ge
        elif isinstance(rule, annotated_types.Gt):
            low = float(rule.gt) + step  # type: ignore[arg-type]
        elif isinstance(rule, annotated_types.Le):
            high = rule.le
        elif isinstance(rule, annotated_types.Lt):
            high = float(rule.lt) - step  # type: ignore[arg-type]
    kind = int if field.annotation is int else float
    return (None if low is None else kind(low)), (None if high is None else kind(high))


def one_two_five(high: float | None, low: float = 1e-5) -> list[float]:
    """1e-05, 2e-05, 5e-05, 1e-04, … up to `high`."""
    top = high or 10.0
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(top)) + 1)
    steps = [float(f"{digit}e{decade}") for decade in decades for digit in (1, 2, 5)]
    return [step for step in steps if low <= step <= top]


def powers_of_two(low: int, high: int | None) -> list[int]:
    return [2**power for power in range(31) if low <= 2**power <= (high or 8192)]


def _with(options: list[Any], value: Any) -> list[Any]:
    """The options with the present value in its place: a link may carry any."""
    return sorted({*options, value})


def _step(field: FieldInfo) -> float:
    if field.annotation is int:
        return 1
    default = field.default if isinstance(field.default, float) else 0.0
    if default >= 1:
        return 1.0
    return 0.01 if not default else min(0.05, 10.0 ** math.floor(math.log10(default)))
