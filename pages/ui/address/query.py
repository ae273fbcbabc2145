"""The address bar is where a page keeps its choices: a link, a reload and a second browser show the same.

Widgets mirror it: before a widget is drawn its state is set from the address, and a change is written back.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

import streamlit as st

from pages.ui.frame.errors import show_error

T = TypeVar("T", bound=Hashable)


def asked(name: str) -> str:
    """A query parameter, "" when it is absent."""
    return st.query_params.get(name, "")


def put(**values: object) -> None:
    """Set query parameters; None or "" removes one. An address that says so already is left alone."""
    for name, value in values.items():
        if value is None or value == "":
            st.query_params.pop(name, None)
        elif asked(name) != str(value):
            st.query_params[name] = str(value)


def mirror(name: str, options: Sequence[T], default: T, what: str = "", clears: Sequence[str] = ()) -> dict[str, Any]:
    """Keyword arguments that tie a choice among `options` to the query parameter `name`.

    An address that names none of them is answered with a sentence, and `default` is shown. `clears`: query parameters
    that mean nothing after another choice.
    """
    known = {str(option): option for option in options}
    wanted, key = asked(name), f"choice:{name}"
    if wanted and wanted not in known:
        shown = ", ".join(list(known)[:12]) + (" …" if len(known) > 12 else "")
        show_error(f"There is no {what or name} {wanted[:60]!r} here. Known: {shown}. Shown is {default}.")
    st.session_state[key] = known.get(wanted, default)
    return {"key": key, "on_change": _write_back, "args": (name, key, clears)}


def mirror_number(name: str, default: int, low: int, high: int) -> dict[str, Any]:
    """The same for a whole number from `low` to `high`."""
    wanted, key = asked(name), f"choice:{name}"
    value = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 12 else -1
    if wanted and not low <= value <= high:
        show_error(f"{name} in the address is {wanted[:60]!r}, but has to be a whole number from {low} to {high}.")
    st.session_state[key] = value if low <= value <= high else min(max(default, low), high)
    return {"key": key, "min_value": low, "max_value": high, "on_change": _write_back, "args": (name, key)}


def choose(
    widget: Callable[..., Any],
    title: str,
    options: Sequence[T],
    *,
    name: str,
    default: T | None = None,
    clears: Sequence[str] = (),
    **more: Any,
) -> T:
    """Draw `widget` (st.selectbox, st.segmented_control, …) tied to the address; returns the chosen option."""
    first = options[0] if default is None else default
    chosen = widget(title, options, **mirror(name, options, first, title.lower(), clears), **more)
    return first if chosen is None else chosen


def turn_pages(pages: int) -> int:
    """Page numbers tied to ?page=, where there is more than one page; returns the page, 1 for the first."""
    if pages < 2:
        return 1
    wanted = asked("page")
    page = int(wanted) if wanted.isascii() and wanted.isdigit() and 1 <= int(wanted[:9]) <= pages else 1
    key = f"page:{page}"  # st.pagination takes its page as a default only, and a default once for each key
    st.pagination(pages, default=page, key=key, on_change=_write_back, args=("page", key))
    return page


def _write_back(name: str, key: str, clears: Sequence[str] = ()) -> None:
    put(**{name: st.session_state[key]}, **dict.fromkeys(clears))
