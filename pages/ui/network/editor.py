"""The editor of a network: its blocks as a component of our own, and what a person does with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path as File
from typing import Any

import streamlit as st

from cnn_core.errors import PlaygroundError
from cnn_core.models import editing
from cnn_core.models.building_blocks import building_blocks
from cnn_core.models.layers import layer_kinds
from cnn_core.models.tree import Layers, Path, at, siblings
from cnn_core.recipe import LayerSpec
from pages.ui.frame.errors import show_error
from pages.ui.network.blocks import Drawn

HERE = File(__file__).parent
KEY = "network-editor"
SELECTED, LAST = "network:selected", "network:last"
LONGEST = 40  # characters of a path or a name from a browser

_editor = st.components.v2.component(
    "network_editor",
    css=(HERE / "editor.css").read_text("utf-8"),
    js="\n".join((HERE / f"{name}.js").read_text("utf-8") for name in ("palette", "block", "editor")),
)
Change = Callable[[Layers], None]
Back = Callable[[], None]


def show(
    drawn: Drawn, change: Change, undo: Callable[[], None], redo: Callable[[], None], can: dict[str, bool]
) -> None:
    """Draw the blocks; `change` takes the layers after each step a person makes."""
    chosen = selected(drawn.layers)
    data = drawn.data() | {"selected": _text(chosen), "last": _text(_last(drawn.layers, chosen)), **can}
    _editor(key=KEY, data=data, on_act_change=lambda: _act(drawn, change, undo, redo))


def said() -> None:
    """The sentence on a step that could not be made, once."""
    if sentence := st.session_state.pop("network:said", ""):
        show_error(sentence)


def selected(layers: Layers) -> Path | None:
    """Path of the layer that is selected, where it is still there."""
    return _there(layers, st.session_state.get(SELECTED))


def select(path: Path | None, last: Path | None = None) -> None:
    st.session_state[SELECTED], st.session_state[LAST] = path, last


def _last(layers: Layers, first: Path | None) -> Path | None:
    """The other end of what is selected, in the same list."""
    last = _there(layers, st.session_state.get(LAST))
    return last if first and last and first[:-1] == last[:-1] else first


def _there(layers: Layers, path: Any) -> Path | None:
    try:
        return path if path and at(layers, path) else None
    except PlaygroundError:
        return None


def _act(drawn: Drawn, change: Change, undo: Back, redo: Back) -> None:
    """One step from the browser, which may say anything."""
    act = st.session_state[KEY].get("act")
    name = act.get("name") if isinstance(act, dict) else None
    if name in ("undo", "redo"):
        (undo if name == "undo" else redo)()
        return
    path, to = _path(act.get("path")) if isinstance(act, dict) else None, _path(act.get("to")) if act else None
    if path is None or name not in ACTS:
        return
    try:
        found = ACTS[name](drawn, path, to, str(act.get("kind", ""))[:LONGEST])
    except PlaygroundError as error:
        st.session_state["network:said"] = str(error)
        return
    if found is not None:
        change(found)


def _select(drawn: Drawn, path: Path, to: Path | None, kind: str) -> None:
    select(path if _there(drawn.layers, path) else None, to)


def _insert(drawn: Drawn, path: Path, to: Path | None, kind: str) -> Layers:
    """What is added becomes what is selected."""
    found = editing.insert(drawn.layers, path, *_new(drawn, path, kind))
    select(path)
    return found


def _new(drawn: Drawn, path: Path, kind: str) -> Layers:
    if kind.startswith("block "):
        return building_blocks.get(kind.removeprefix("block ")).layers(_incoming(drawn, path))
    layer_kinds.get(kind)  # raises, naming those that there are
    if kind == "branches":
        same = LayerSpec(kind="conv", channels=_incoming(drawn, path))
        return (LayerSpec(kind=kind, merge="add", branches=((same,), ())),)
    if kind == "repeat":
        return (LayerSpec(kind=kind, layers=(LayerSpec(kind="conv", channels=_incoming(drawn, path)), RELU)),)
    if kind in ("conv", "pointwise", "depthwise_separable"):
        return (LayerSpec(kind=kind, channels=max(16, _incoming(drawn, path))),)
    return (LayerSpec(kind=kind),)


RELU = LayerSpec(kind="relu")


def _incoming(drawn: Drawn, path: Path) -> int:
    """Maps that come in at a place."""
    from cnn_core.models.doctor import passing

    shapes = passing(drawn.layers, drawn.input_shape, drawn.classes)
    if path in shapes:
        return shapes[path][0][0]
    before = (*path[:-1], path[-1] - 1) if path[-1] else path[:-2]
    return shapes[before][1 if path[-1] else 0][0] if before in shapes else drawn.input_shape[0]


def _remove(drawn: Drawn, path: Path, to: Path | None, kind: str) -> Layers:
    """From one layer to the other; the one before is selected then."""
    around, first, last = _ends(drawn.layers, path, to)
    select((*path[:-1], max(0, first - 1)) if len(around) > last - first + 1 else None)
    layers = drawn.layers
    for _ in range(first, last + 1):
        layers = editing.remove(layers, (*path[:-1], first))
    return layers


def _ends(layers: Layers, path: Path, to: Path | None) -> tuple[Layers, int, int]:
    around, place = siblings(layers, path)
    other = to[-1] if to and to[:-1] == path[:-1] else place
    return around, min(place, other), min(max(place, other), len(around) - 1)


def _duplicate(drawn: Drawn, path: Path, to: Path | None, kind: str) -> Layers:
    select((*path[:-1], path[-1] + 1))
    return editing.duplicate(drawn.layers, path)


def _move(drawn: Drawn, path: Path, to: Path | None, kind: str) -> Layers | None:
    if to is None:
        return None
    found, there = editing.move(drawn.layers, path, to)
    select(there)
    return found


def _earlier(drawn: Drawn, path: Path, to: Path | None, kind: str) -> Layers:
    return _step(drawn, path, -1)


def _later(drawn: Drawn, path: Path, to: Path | None, kind: str) -> Layers:
    return _step(drawn, path, 1)


def _step(drawn: Drawn, path: Path, by: int) -> Layers:
    found, there = editing.step(drawn.layers, path, by)
    select(there)
    return found


def _wrap(drawn: Drawn, path: Path, to: Path | None, kind: str) -> Layers:
    _, first, last = _ends(drawn.layers, path, to)
    select((*path[:-1], first))
    return editing.wrap(drawn.layers, (*path[:-1], first), (*path[:-1], last))


def _branch(drawn: Drawn, path: Path, to: Path | None, kind: str) -> Layers:
    _, first, last = _ends(drawn.layers, path, to)
    select((*path[:-1], first))
    return editing.branch(drawn.layers, (*path[:-1], first), (*path[:-1], last))


def _unwrap(drawn: Drawn, path: Path, to: Path | None, kind: str) -> Layers:
    spec = at(drawn.layers, path)
    if spec.kind == "residual":
        return editing.replace(drawn.layers, path, *editing.residual_as_branches(spec, _incoming(drawn, path)))
    return editing.unwrap(drawn.layers, path)


Act = Callable[[Drawn, Path, Path | None, str], Layers | None]
ACTS: dict[str, Act] = {
    "select": _select,
    "insert": _insert,
    "remove": _remove,
    "duplicate": _duplicate,
    "move": _move,
    "earlier": _earlier,
    "later": _later,
    "wrap": _wrap,
    "branch": _branch,
    "unwrap": _unwrap,
}


def _text(path: Path | None) -> str:
    return "" if path is None else ".".join(map(str, path))


def _path(value: Any) -> Path | None:
    """The path a browser names, None for what is none."""
    if not isinstance(value, str) or len(value) > LONGEST:
        return None
    numbers = value.split(".")
    return tuple(map(int, numbers)) if all(number.isascii() and number.isdigit() for number in numbers) else None
