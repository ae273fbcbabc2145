"""The recipe as a form: every widget shows the recipe of the address and writes its change back there."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

import streamlit as st
from pydantic.fields import FieldInfo

from cnn_core.data.augment import augment_presets, augmentations
from cnn_core.recipe import AugmentSpec, Recipe
from pages.ui import forms
from pages.ui.errors import plain
from pages.ui.recipe_address import CHOICES, FIELDS, replace, write
from pages.ui.words import count, label

OWN = "own"
HEADINGS = {"augment": "Augmentation"}
ICONS = {"data": "image", "augment": "flip", "network": "account_tree", "training": "school", "seed": "casino"}


def recipe_form(recipe: Recipe) -> None:
    """Draw every field of the recipe, part by part, in the order of its definition; advanced ones folded at the end."""
    st.session_state["recipe"] = recipe
    values = recipe.flat() | ({"network.preset": OWN} if recipe.network.layers else {})
    shown = [(name, field) for name, field in FIELDS.items() if _matters(name, field, values)]
    for part, group in groupby(shown, key=lambda item: item[0].split(".")[0]):
        _heading(part)
        for name, field in group:
            if part == "augment":
                _augment_form(recipe)
            elif not forms.extra(field, "advanced"):
                _field(name, field, values[name])
    with st.expander("Advanced", icon=":material/tune:"):
        for name, field in shown:
            if forms.extra(field, "advanced"):
                _field(name, field, values[name])


def _heading(part: str) -> None:
    owner = Recipe.model_fields[part].annotation
    note = FIELDS[part].description if part in FIELDS else owner.__doc__ if owner else None
    st.markdown(f":material/{ICONS.get(part, 'tune')}: **{HEADINGS.get(part, label(part))}**", help=note)


def _changed(key: str) -> None:
    write(replace(st.session_state["recipe"], key.removeprefix("recipe:"), st.session_state[key]))


def _matters(name: str, field: FieldInfo, values: dict[str, Any]) -> bool:
    """Layers are shown as a table and chosen by a preset; some fields only matter beside a certain choice."""
    part = name.rpartition(".")[0]
    beside = {other.rpartition(".")[2]: value for other, value in values.items() if other.rpartition(".")[0] == part}
    return name != "network.layers" and forms.needed(field, beside)


def _field(name: str, field: FieldInfo, value: Any) -> None:
    if name in CHOICES:
        _choice(name, field, value)
    else:
        forms.widget(f"recipe:{name}", name, field, value, _changed, titled="." in name)


def _choice(name: str, field: FieldInfo, value: str) -> None:
    """A choice out of a registry; a value that is not in it stands first."""
    registry, key = CHOICES[name], f"recipe:{name}"
    st.session_state[key] = value
    chosen = st.selectbox(
        label(name.split(".")[0]),
        [*([] if value in registry else [value]), *registry.names()],
        format_func=lambda option: registry.get(option).title if option in registry else "Own layers",
        key=key,
        help=field.description,
        label_visibility="collapsed",
        on_change=_changed,
        args=(key,),
    )
    if chosen in registry:
        thing = registry.get(chosen)
        st.caption(plain(getattr(thing, "teaches", "") or thing.description))


# Augmentation: a preset or own steps, each with the typed parameters of its kind


def _augment_form(recipe: Recipe) -> None:
    present = next((name for name, steps in augment_presets.items() if steps == recipe.augment), OWN)
    presets = augment_presets | ({OWN: recipe.augment} if present == OWN else {})
    st.session_state["augment:preset"] = present
    st.selectbox(
        HEADINGS["augment"],
        list(presets),
        format_func=lambda name: (
            f"{label(name)} ({count(len(presets[name]), 'step')})" if presets[name] else label(name)
        ),
        key="augment:preset",
        label_visibility="collapsed",
        on_change=_preset_chosen,
    )
    with st.expander("Steps", expanded=False):
        kinds = list(dict.fromkeys(step.kind for step in recipe.augment))
        st.session_state["augment:kinds"] = kinds
        st.multiselect(
            "Kinds",
            augmentations.names(),
            format_func=lambda kind: augmentations.get(kind).title,
            key="augment:kinds",
            help="Applied in this order, to training images only. Each image gets its own draw.",
            on_change=_kinds_chosen,
        )
        for position, step in enumerate(recipe.augment):
            _step_form(position, step)


def _step_form(position: int, step: AugmentSpec) -> None:
    kind = augmentations.get(step.kind)
    st.markdown(f"**{kind.title}**", help=kind.help)
    values = kind.model_validate(step.parameters).model_dump()
    for name, field in kind.model_fields.items():
        key = f"augment:{position}:{step.kind}:{name}"
        forms.widget(key, name, field, values[name], _parameter_changed)


def _preset_chosen() -> None:
    chosen = st.session_state["augment:preset"]
    if chosen != OWN:
        _set_steps(augment_presets[chosen])


def _kinds_chosen() -> None:
    kinds = st.session_state["augment:kinds"]
    present = {step.kind: step for step in _steps()}
    _set_steps(present.get(kind) or _default_step(kind) for kind in kinds)


def _parameter_changed(key: str) -> None:
    _, position, kind, name = key.split(":")
    steps = list(_steps())
    steps[int(position)] = AugmentSpec(kind=kind, **(steps[int(position)].parameters | {name: st.session_state[key]}))
    _set_steps(steps)


def _default_step(kind: str) -> AugmentSpec:
    return AugmentSpec(kind=kind, **augmentations.get(kind)().model_dump())


def _steps() -> tuple[AugmentSpec, ...]:
    return st.session_state["recipe"].augment


def _set_steps(steps: Iterable[AugmentSpec]) -> None:
    write(st.session_state["recipe"].model_copy(update={"augment": tuple(steps)}))
