"""Widgets made from the pydantic fields of a recipe: type, range, default, help, unit and scale are the field's own."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin

import annotated_types
import streamlit as st
from pydantic.fields import FieldInfo

from cnn_core.spec import noted
from pages.ui.forms import typed
from pages.ui.frame.words import label, option, significant

Changed = Callable[[str], None]  # called with the widget's key after a person changed it
TINY = 1e-9  # how close to an open end of a range a person can type
TYPED_WIDTH = 96  # CSS pixels: six digits, too narrow for buttons that step


def widget(
    key: str, name: str, field: FieldInfo, value: Any, changed: Changed, titled: bool = True, slide_to: float = 0
) -> None:
    """Draw the widget of one field. Its value is in the session state under `key`; `value` is shown now.

    A number can be typed, see `typed`; one with a logarithmic scale has a slider of round steps beside it.
    `slide_to`: a number with a linear scale is a slider up to this, or to the field's own limit where that is less.
    """
    shared: dict[str, Any] = {
        "label": label(name, noted(field, "unit")),
        "key": key,
        "help": field.description,
        "label_visibility": "visible" if titled else "collapsed",
        "on_change": typed.take,
        "args": (key, field, value, changed),
    }
    st.session_state[key] = value
    if get_origin(field.annotation) is Literal:
        st.selectbox(options=get_args(field.annotation), format_func=option, **shared)
    elif field.annotation is bool:
        st.toggle(**shared)
    elif noted(field, "log"):
        _logarithmic(field, value, shared)
        typed.explain(key, name, field)
    elif slide_to:
        low, high = _around(value, limits(field, _step(field)))
        top = type(low)(max(value, min(high, slide_to)))
        step = type(low)(_step(field))
        st.slider(min_value=low, max_value=top, step=step, format=_format(field), **shared)
    else:
        _number(field, value, type(value)(_step(field)), shared)
        typed.explain(key, name, field)


def _number(field: FieldInfo, value: Any, step: Any, shared: dict[str, Any]) -> None:
    """A field to type in. It has no limits of its own: the browser would hold back what is outside without a word."""
    st.session_state[shared["key"]] = typed.on_show(shared["key"], value)
    st.number_input(value=None, step=step, format=_format(field), **shared)


def _logarithmic(field: FieldInfo, value: Any, shared: dict[str, Any]) -> None:
    """A slider of round steps, and beside it the number itself."""
    (low, high), key = _around(value, limits(field)), shared["key"]
    steps = powers_of_two(low or 1, high) if field.annotation is int else one_two_five(high)
    slider = f"slider:{key}"
    st.session_state[slider] = value
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=f"typed:{key}"):
        st.select_slider(
            options=_with(steps, value),
            format_func=lambda size: significant(size, 6),
            **shared | {"key": slider, "on_change": _slid, "args": (slider, *shared["args"])},
        )
        beside = {"help": None, "label_visibility": "collapsed", "width": TYPED_WIDTH}
        _number(field, value, type(value)(1), shared | beside)


def _slid(slider: str, key: str, *args: Any) -> None:
    st.session_state[key] = st.session_state[slider]
    typed.take(key, *args)


def needed(field: FieldInfo, values: dict[str, Any]) -> bool:
    """Whether a field matters, given the fields beside it: `needs` is "name=value|value"."""
    needs = noted(field, "needs")
    if not needs:
        return True
    name, wanted = needs.split("=")
    return str(values[name]) in wanted.split("|")


def limits(field: FieldInfo, inward: float = TINY) -> tuple[Any, Any]:
    """Smallest and largest value a person can choose; the open ends of a range of floats are moved in by `inward`."""
    low: Any = None
    high: Any = None
    by = 1 if field.annotation is int else inward
    for rule in field.metadata:
        if isinstance(rule, annotated_types.Ge):
            low = rule.ge
        elif isinstance(rule, annotated_types.Gt):
            low = rule.gt + by  # type: ignore[operator]
        elif isinstance(rule, annotated_types.Le):
            high = rule.le
        elif isinstance(rule, annotated_types.Lt):
            high = rule.lt - by  # type: ignore[operator]
    kind = int if field.annotation is int else float
    return (None if low is None else kind(low)), (None if high is None else kind(high))


def _format(field: FieldInfo) -> str:
    return "%d" if field.annotation is int else "%g"


def _around(value: Any, ends: tuple[Any, Any]) -> tuple[Any, Any]:
    """The ends, moved out where the present value lies between an open end and the first number beside it."""
    low, high = ends
    return (None if low is None else min(low, value)), (None if high is None else max(high, value))


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
