"""The augmentation of a recipe as a form: a set to start from, and the steps in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import streamlit as st

from cnn_core.data.augmentation.presets import augment_presets
from cnn_core.data.augmentation.steps import augmentations
from cnn_core.planning.recipe import input_of
from cnn_core.recipe import AugmentSpec, Recipe
from cnn_core.spec import noted
from pages.ui.address.recipe import Shown, recommended, write
from pages.ui.forms import widgets
from pages.ui.frame.errors import plain
from pages.ui.frame.words import count

OWN, RECOMMENDED = "own", "recommended"
TITLES = {OWN: "Own steps", RECOMMENDED: "Recommended"}
WHYS = {OWN: "Chosen by hand.", RECOMMENDED: "What suits this data set and network, and leaves the labels true."}


def compact(recipe: Recipe, shown: Shown) -> None:
    """The set and its steps."""
    choose_set(recipe, shown)
    steps(recipe, shown)


def short(step: AugmentSpec) -> str:
    """A step in a few words: "Rotation 15°"."""
    kind = augmentations.get(step.kind)
    sizes = {name: noted(field, "unit") for name, field in kind.model_fields.items() if noted(field, "unit")}
    values = kind.model_validate(step.parameters).model_dump()
    first = next((f"{values[name]:g}{'' if unit == '°' else ' '}{unit}" for name, unit in sizes.items()), "")
    return f"{kind.title} {first}".strip()


def title(recipe: Recipe) -> str:
    """Of the set that the steps of a recipe are."""
    present = _present(recipe, _sets(recipe))
    return TITLES.get(present) or augment_presets.get(present).title


def choose_set(recipe: Recipe, shown: Shown) -> None:
    """A select box of named sets; what is in none of them stands last as the person's own."""
    sets = _sets(recipe)
    present = _present(recipe, sets)
    sets |= {OWN: recipe.augment} if present == OWN else {}
    titles = TITLES | {preset.name: preset.title for preset in augment_presets}
    st.session_state["augment:set"] = present
    st.selectbox(
        "Augmentation",
        list(sets),
        format_func=lambda name: f"{titles[name]} ({count(len(sets[name]), 'step')})" if sets[name] else titles[name],
        key="augment:set",
        label_visibility="collapsed",
        on_change=_set_chosen,
        args=(shown,),
    )
    st.caption(plain(WHYS[present] if present in WHYS else augment_presets.get(present).why))


def _sets(recipe: Recipe) -> dict[str, tuple[AugmentSpec, ...]]:
    """Name of a set -> its steps."""
    return {RECOMMENDED: recommended(recipe).augment} | {preset.name: preset.steps for preset in augment_presets}


def _present(recipe: Recipe, sets: Mapping[str, Sequence[AugmentSpec]]) -> str:
    return next((name for name, found in sets.items() if found == recipe.augment), OWN)


def steps(recipe: Recipe, shown: Shown, roomy: bool = False) -> None:
    """A numbered list of the steps with their parameters, and a select box to add one.

    `roomy`: with sliders, and buttons to move a step.
    """
    st.session_state["augment:add"] = None
    shape, _ = input_of(recipe)
    for position, step in enumerate(recipe.augment):
        _head(shown, position, step, last=position == len(recipe.augment) - 1, movable=roomy)
        _parameters(shown, position, step, channels=shape[0], side=shape[1] if roomy else 0)
    kinds = [kind.kind for kind in augmentations if shape[0] == 3 or not kind.needs_colour]
    st.selectbox(
        "Add a step",
        kinds,
        format_func=lambda kind: augmentations.get(kind).title,
        key="augment:add",
        placeholder="Add a step",
        label_visibility="collapsed",
        help="Steps are applied in this order, to training images only. Each image gets its own draw.",
        on_change=_add,
        args=(shown,),
    )


def _head(shown: Shown, position: int, step: AugmentSpec, last: bool, movable: bool) -> None:
    """Number, name, and buttons to move a step and to take it out."""
    kind = augmentations.get(step.kind)
    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall"):
        st.markdown(f"**{position + 1} · {kind.title}**", help=kind.help, width="stretch")
        if movable:
            _button("up", "arrow_upward", "Move this step up", _move, shown, position, -1, disabled=position == 0)
            _button("down", "arrow_downward", "Move this step down", _move, shown, position, 1, disabled=last)
        _button("remove", "close", "Remove this step", _remove, shown, position)


def _button(
    name: str,
    icon: str,
    note: str,
    act: Callable[..., None],
    shown: Shown,
    position: int,
    *by: int,
    disabled: bool = False,
) -> None:
    st.button(
        f":material/{icon}:",
        key=f"augment:{name}:{position}",
        type="tertiary",
        help=note,
        disabled=disabled,
        on_click=act,
        args=(shown, position, *by),
    )


def _parameters(shown: Shown, position: int, step: AugmentSpec, channels: int, side: int) -> None:
    """Widgets of the fields that change something; with a `side` of the images in px sliders, no further than it."""
    kind = augmentations.get(step.kind)
    values = kind.model_validate(step.parameters).model_dump()
    fields = [item for item in kind.model_fields.items() if widgets.needed(item[1], values | {"channels": channels})]
    changed = partial(_parameter_changed, shown)
    for first in range(0, len(fields), 2):
        pair = fields[first : first + 2]
        for (name, field), place in zip(pair, st.columns(len(pair)) if side else [st.container()] * 2, strict=False):
            key = f"augment:{position}:{step.kind}:{name}"
            far = side if noted(field, "unit") == "px" else widgets.limits(field)[1] or 0
            with place:
                widgets.widget(key, name, field, values[name], changed, slide_to=far if side else 0)


def _set_chosen(shown: Shown) -> None:
    chosen, recipe = st.session_state["augment:set"], shown()
    if chosen == RECOMMENDED:
        _put(recipe, recommended(recipe).augment)
    elif chosen != OWN:
        _put(recipe, augment_presets.get(chosen).steps)


def _add(shown: Shown) -> None:
    kind, recipe = st.session_state["augment:add"], shown()
    if kind:
        _put(recipe, [*recipe.augment, AugmentSpec(kind=kind, **augmentations.get(kind)().model_dump())])


def _remove(shown: Shown, position: int) -> None:
    recipe = shown()
    _put(recipe, [step for place, step in enumerate(recipe.augment) if place != position])


def _move(shown: Shown, position: int, by: int) -> None:
    recipe = shown()
    order = list(recipe.augment)
    order.insert(position + by, order.pop(position))
    _put(recipe, order)


def _parameter_changed(shown: Shown, key: str) -> None:
    _, position, kind, name = key.split(":")
    recipe = shown()
    order = list(recipe.augment)
    order[int(position)] = AugmentSpec(kind=kind, **(order[int(position)].parameters | {name: st.session_state[key]}))
    _put(recipe, order)


def _put(recipe: Recipe, order: Iterable[AugmentSpec]) -> None:
    write(recipe.model_copy(update={"augment": tuple(order)}))
