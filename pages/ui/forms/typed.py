"""What a person typed as a number: an empty field goes back to what it was, and a number out of range stays on show
with a sentence, while the choice keeps its value. The browser alone would hold such a number back without a word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import annotated_types
import streamlit as st
from pydantic.fields import FieldInfo

from pages.ui.frame.words import label, significant

REFUSED = "typed:refused"  # key -> (what was typed, the value that was kept)
SENTENCES = "typed:sentences"  # of the fields drawn since `begin`
WORDS: dict[type, str] = {
    annotated_types.Ge: "at least",
    annotated_types.Gt: "above",
    annotated_types.Le: "at most",
    annotated_types.Lt: "below",
}


def begin() -> None:
    """Before a form is drawn."""
    st.session_state[SENTENCES] = []


def sentences() -> list[str]:
    """Why the numbers on show cannot be used, one sentence a field drawn since `begin`."""
    return list(st.session_state.get(SENTENCES, []))


def take(key: str, field: FieldInfo, kept: Any, changed: Callable[[str], None]) -> None:
    """A person changed the widget of that key, whose value was `kept`; `changed` is called where it is allowed."""
    value = st.session_state[key]
    _refused().pop(key, None)
    if value is not None and not allowed(value, field):
        _refused()[key] = (value, kept)
    elif value is not None:
        changed(key)


def on_show(key: str, value: Any) -> Any:
    """The number to show: the refused one until its field is changed, by hand or by another choice."""
    refused, kept = _refused().get(key, (value, value))
    if kept != value:
        del _refused()[key]
        return value
    return refused


def explain(key: str, name: str, field: FieldInfo) -> None:
    """A sentence below the field where it shows a number that is refused."""
    if key in _refused():
        title = label(name)
        sentence = f"{title} {'have' if title.endswith('s') else 'has'} to be {span(field)}."
        st.session_state.setdefault(SENTENCES, []).append(sentence)
        st.markdown(f":red[:material/error: {sentence}]")


def allowed(value: Any, field: FieldInfo) -> bool:
    """Whether a value is within the field's own limits."""
    for rule in field.metadata:
        if (
            (isinstance(rule, annotated_types.Ge) and value < rule.ge)
            or (isinstance(rule, annotated_types.Gt) and value <= rule.gt)
            or (isinstance(rule, annotated_types.Le) and value > rule.le)
            or (isinstance(rule, annotated_types.Lt) and value >= rule.lt)
        ):
            return False
    return True


def span(field: FieldInfo) -> str:
    """The limits in words: "1 to 8,192", "above 0 and at most 10"."""
    rules = {type(rule): getattr(rule, type(rule).__name__.lower()) for rule in field.metadata if type(rule) in WORDS}
    if set(rules) == {annotated_types.Ge, annotated_types.Le}:
        return f"{_written(rules[annotated_types.Ge])} to {_written(rules[annotated_types.Le])}"
    return " and ".join(f"{word} {_written(rules[kind])}" for kind, word in WORDS.items() if kind in rules)


def _written(number: Any) -> str:
    return f"{number:,}" if isinstance(number, int) else significant(number, 6)


def _refused() -> dict[str, tuple[Any, Any]]:
    refused: dict[str, tuple[Any, Any]] = st.session_state.setdefault(REFUSED, {})
    return refused
