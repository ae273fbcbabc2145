"""The edits of one run's filters: kept in the session of one browser, never saved."""

from __future__ import annotations

import streamlit as st

from cnn_core.inspection.silence import Weighted, weighted
from cnn_core.inspection.surgery import Edit
from cnn_core.models.network import Network
from cnn_core.runs.tables import Run

WORDS = {
    "sobel_x": "Sobel, left to right",
    "sobel_y": "Sobel, top to bottom",
    "blur": "blur",
    "identity": "identity",
    "random": "random weights",
    "painted": "a painted kernel",
}


def edits(run: Run) -> tuple[Edit, ...]:
    """In the order they were made."""
    return tuple(st.session_state.get(_key(run), ()))


def add(run: Run, edit: Edit) -> None:
    """Another edit; it takes the place of those of the same kernel, map or layer that it undoes."""
    _put(run, (*(other for other in edits(run) if not _replaces(edit, other)), edit))


def remove(run: Run, edit: Edit) -> None:
    _put(run, tuple(other for other in edits(run) if other != edit))


def put_back(run: Run) -> None:
    """The network is the saved one again."""
    _put(run, ())


def set_silenced(run: Run, address: str, units: set[int], among: set[int]) -> None:
    """Of the maps `among` of a layer those in `units` are silenced, and no others."""
    kept = [edit for edit in edits(run) if not (_silences(edit, address) and edit.unit in among - units)]
    now = {edit.unit for edit in kept if _silences(edit, address)}
    _put(run, (*kept, *(Edit(address, "zero", unit) for unit in sorted(units - now))))


def silenced_units(run: Run, address: str) -> set[int]:
    return {edit.unit for edit in edits(run) if _silences(edit, address)}


def edited_units(run: Run, address: str) -> set[int]:
    """Maps of a layer that were silenced, or one of whose kernels was replaced."""
    return {edit.unit for edit in edits(run) if edit.address == address and edit.kind != "shuffle"}


def turn(run: Run) -> int:
    """How often the edits were changed, for the keys of widgets that are to follow them."""
    return int(st.session_state.get(f"{_key(run)}:turn", 0))


def layers(network: Network) -> dict[str, str]:
    """Address -> name of every convolution and linear layer."""
    return {
        operation.address: f"{operation.position + 1} · {operation.title}"
        for operation in network.operations
        if isinstance(network.get_submodule(operation.address), Weighted)
    }


def noun(network: Network, address: str) -> str:
    """What a layer gives several of: "map" of a convolution, "output" of a linear layer."""
    return "map" if weighted(network, address).weight.ndim == 4 else "output"


def described(edit: Edit, network: Network) -> str:
    """An edit in a few words: "4 · Convolution, map 3: silenced"."""
    name, each = layers(network)[edit.address], noun(network, edit.address)
    if edit.kind == "shuffle":
        return f"{name}: weights shuffled among its {each}s"
    if edit.kind == "zero":
        return f"{name}, {each} {edit.unit + 1}: silenced"
    whose = "every input" if edit.channel is None else f"input {edit.channel + 1}"
    return f"{name}, {each} {edit.unit + 1}: {WORDS[edit.kernel]} for {whose}"


def _silences(edit: Edit, address: str) -> bool:
    return edit.kind == "zero" and edit.address == address


def _replaces(new: Edit, old: Edit) -> bool:
    """Whether the old edit ends with the new one: the same kernel anew, the layer shuffled anew, a silenced map that
    gets a kernel, or a map with new kernels that is silenced."""
    if new.address != old.address or (new.kind == "shuffle") != (old.kind == "shuffle"):
        return False
    if new.kind == "shuffle":
        return True
    if new.unit != old.unit:
        return False
    return "zero" in (new.kind, old.kind) or new.channel in (None, old.channel)


def _put(run: Run, some: tuple[Edit, ...]) -> None:
    st.session_state[_key(run)] = some
    st.session_state[f"{_key(run)}:turn"] = turn(run) + 1


def _key(run: Run) -> str:
    return f"surgery:{run.id}"
