"""The parameters of the layer that is selected, each a widget of its field."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from cnn_core.errors import PlaygroundError
from cnn_core.models import editing
from cnn_core.models.composite import Branches, Repeat
from cnn_core.models.layer import Layer, layer_kinds
from cnn_core.models.layers import read_layers
from cnn_core.models.tree import Layers, Path, at, children, with_children
from cnn_core.recipe import LayerSpec
from cnn_core.spec import noted
from pages.ui.forms import typed, widgets
from pages.ui.frame.errors import plain

Change = Callable[[Layers], None]
# Fields that the blocks themselves show
NESTED: dict[type[Layer], tuple[str, ...]] = {
    Repeat: ("layers",),
    Branches: ("branches",),
}  # fields that the blocks themselves show


def show(layers: Layers, path: Path, change: Change) -> None:
    """What it is, and a widget for each choice; advanced ones folded."""
    spec = at(layers, path)
    if spec.kind not in layer_kinds:
        st.markdown(f"There is no layer of the kind “{plain(spec.kind[:40])}”.")
        return
    kind = layer_kinds.get(spec.kind)
    st.markdown(f"**Layer {_number(path)}: {kind.title}**")
    st.caption(kind.help)
    typed.begin()
    fields = {name: field for name, field in kind.model_fields.items() if name not in NESTED.get(kind, ())}
    values = _values(kind, spec)
    plain_ones = [name for name, field in fields.items() if not noted(field, "advanced")]
    folded = [name for name in fields if name not in plain_ones]
    for name in plain_ones:
        _field(layers, path, name, fields[name], values[name], change)
    if folded:
        with st.expander("More", icon=":material/tune:"):
            for name in folded:
                _field(layers, path, name, fields[name], values[name], change)
    if spec.kind == "branches":
        _branches(layers, path, spec, change)


def _number(path: Path) -> str:
    """Counted from 1, as the editor's blocks are."""
    return ".".join(str(step + 1) for step in path)


def _values(kind: type[Layer], spec: LayerSpec) -> dict[str, Any]:
    """The present values; of what cannot be read the default, for the doctor says so."""
    try:
        return dict(read_layers([spec])[0])
    except PlaygroundError:
        return dict(kind())


def _field(layers: Layers, path: Path, name: str, field: Any, value: Any, change: Change) -> None:
    key = f"layer:{'.'.join(map(str, path))}:{name}"
    widgets.widget(key, name, field, value, partial(_changed, layers, path, name, change))


def _changed(layers: Layers, path: Path, name: str, change: Change, key: str) -> None:
    change(editing.set_parameters(layers, path, **{name: st.session_state[key]}))


def _branches(layers: Layers, path: Path, spec: LayerSpec, change: Change) -> None:
    lists = children(spec)
    with st.container(horizontal=True):
        st.button("Add a branch", icon=":material/add:", on_click=_rebranch, args=(layers, path, (*lists, ()), change))
        if len(lists) > 1:
            fewer = (layers, path, lists[:-1], change)
            st.button("Remove the last", icon=":material/remove:", on_click=_rebranch, args=fewer)


def _rebranch(layers: Layers, path: Path, lists: tuple[Layers, ...], change: Change) -> None:
    change(editing.replace(layers, path, with_children(at(layers, path), lists)))
