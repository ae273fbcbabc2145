"""The recipe as a form: every widget shows the recipe of the address and writes its change back there."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st
from pydantic.fields import FieldInfo

from cnn_core.models.presets import is_saved
from cnn_core.planning import networks
from cnn_core.recipe import Recipe
from cnn_core.saved_networks import read_saved
from cnn_core.spec import noted
from pages.ui.address.recipe import CHOICES, FIELDS, Shown, replace, write
from pages.ui.forms import augmentation, starting, widgets
from pages.ui.frame.errors import errors_shown, plain
from pages.ui.frame.words import label

OWN = "own"
PARTS = ("data", "augment", "network", "training")


def part_form(part: str, recipe: Recipe, shown: Shown) -> None:
    """Draw every field of one of `PARTS`, in the order of its definition; advanced ones folded at the end.

    Call `typed.begin` before the first of them.
    """
    own = recipe.network.layers and not is_saved(recipe.network)
    values = recipe.flat() | ({"network.preset": OWN} if own else {})
    needed = [(name, field) for name, field in FIELDS.items() if part_of(name) == part]
    needed = [(name, field) for name, field in needed if _matters(name, field, values)]
    folded = [(name, field) for name, field in needed if noted(field, "advanced")]
    changed = partial(_changed, shown)
    for name, field in needed:
        if name == "augment":
            augmentation.compact(recipe, shown)
        elif not noted(field, "advanced"):
            _field(recipe, name, field, values[name], changed)
    if folded:
        with st.expander("Advanced", icon=":material/tune:", key=f"advanced:{part}"):
            for name, field in folded:
                _field(recipe, name, field, values[name], changed)


def part_of(name: str) -> str:
    """The one of `PARTS` that a field of the recipe stands in; the seed, which is of none of them, is training."""
    part = name.split(".")[0]
    return part if part in PARTS else "training"


def part_help(part: str) -> str:
    """What a part of the recipe is."""
    owner = Recipe.model_fields[part].annotation
    return (FIELDS[part].description if part in FIELDS else owner.__doc__ if owner else None) or ""


@errors_shown()
def _changed(shown: Shown, key: str) -> None:
    write(replace(shown(), key.removeprefix("recipe:"), st.session_state[key]))


def _matters(name: str, field: FieldInfo, values: dict[str, Any]) -> bool:
    """Layers are shown as a table and chosen by a preset; some fields only matter beside a certain choice."""
    part = name.rpartition(".")[0]
    beside = {other.rpartition(".")[2]: value for other, value in values.items() if other.rpartition(".")[0] == part}
    return name not in ("network.layers", "network.rates") and widgets.needed(field, beside)


def _field(recipe: Recipe, name: str, field: FieldInfo, value: Any, changed: widgets.Changed) -> None:
    if name in CHOICES:
        choice(name, value, changed)
    elif name == "network.start":
        starting.choice(recipe, field.description, changed)
    else:
        widgets.widget(f"recipe:{name}", name, field, value, changed)


def choice_of(name: str, value: str, shown: Shown) -> None:
    """The same on its own, for a page without the form."""
    choice(name, value, partial(_changed, shown))


def choice(name: str, value: str, changed: widgets.Changed) -> None:
    """A choice out of a registry, for the field of that name; a value that is not in it stands first."""
    offered, key = _offered(name), f"recipe:{name}"
    st.session_state[key] = value
    chosen = st.selectbox(
        label(name.split(".")[0]),
        [*([] if value in offered else [value]), *offered],
        format_func=lambda option: _title(option, offered),
        key=key,
        help=FIELDS[name].description,
        label_visibility="collapsed",
        on_change=changed,
        args=(key,),
    )
    if chosen in offered:
        thing = offered[chosen]
        by = f"Saved by {thing.owner}." if getattr(thing, "owner", "") else ""
        st.caption(plain(f"{getattr(thing, 'teaches', '') or getattr(thing, 'description', '')} {by}"))


def _offered(name: str) -> dict[str, Any]:
    """Value of the field -> what has a title and is explained."""
    if name == "network.preset":
        return {network.key: network for network in networks.offered()}
    return {option: CHOICES[name].get(option) for option in CHOICES[name].names()}


def _title(option: str, offered: dict[str, Any]) -> str:
    """As a select box shows it, which reads no markdown. A saved network that is gone keeps its name."""
    if option in offered:
        return str(offered[option].title)
    saved = read_saved(option)
    return saved.name if saved else "Own layers"
