"""The recipe as a form. The address bar holds the recipe; every widget shows it and writes its change back."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

import streamlit as st
from pydantic.fields import FieldInfo

from cnn_core.data.augment import augment_presets, augmentations, read_steps
from cnn_core.data.sources import dataset_sources
from cnn_core.errors import PlaygroundError
from cnn_core.models.presets import layers_of, network_presets
from cnn_core.recipe import AugmentSpec, NetworkSpec, Recipe, fields
from cnn_core.runs.tables import Run
from cnn_core.training.plan import starting_recipe
from pages.ui import forms
from pages.ui.errors import plain, say
from pages.ui.words import count, label

FIELDS = dict(fields(Recipe))
OWN = "own"
CHOICES: dict[str, Any] = {"data.dataset": dataset_sources, "network.preset": network_presets}
HEADINGS = {"augment": "Augmentation"}
ICONS = {"data": "image", "augment": "flip", "network": "account_tree", "training": "school", "seed": "casino"}


def recipe_shown(run: Run | None) -> Recipe:
    """The recipe of the address, else that of the run on show, else the recommended one.

    An address that cannot be read is answered with a sentence, and the recommended recipe is shown.
    """
    try:
        if any(name in FIELDS for name in st.query_params):
            return _readable(Recipe.from_query(st.query_params.to_dict(), _base(st.query_params.to_dict())))
        return _without_own_layers(run.recipe) if run else starting_recipe()
    except PlaygroundError as error:
        say(error)
        return starting_recipe()


def recipe_form(recipe: Recipe) -> None:
    """Draw every field of the recipe, part by part, in the order of its definition; advanced ones folded at the end."""
    st.session_state["recipe"] = recipe
    values = recipe.flat()
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


def write(recipe: Recipe) -> None:
    """Put a recipe into the address; what is as recommended for its data and network is left out."""
    names = {"data.dataset": recipe.data.dataset, "network.preset": recipe.network.preset}
    query = recipe.to_query(_base(names)) | names
    for name in FIELDS:
        if name not in query:
            st.query_params.pop(name, None)
    st.query_params.update(query)


def forget() -> None:
    """Take the recipe out of the address."""
    for name in FIELDS:
        st.query_params.pop(name, None)


def replace(recipe: Recipe, name: str, value: Any) -> Recipe:
    """The recipe with one field changed, and what is recommended along with a new network or data set."""
    values = recipe.model_dump(mode="json")
    *path, last = name.split(".")
    place = values
    for step in path:
        place = place[step]
    place[last] = value
    if name in CHOICES:
        base = starting_recipe(values["data"]["dataset"], values["network"]["preset"]).model_dump(mode="json")
        values["data"]["image_size"] = base["data"]["image_size"]
        part = "augment" if name == "data.dataset" else "training"
        values[part] = base[part]
        if name == "network.preset":
            values["network"]["layers"] = ()
    return Recipe.model_validate(values)


def _base(query: dict[str, str]) -> Recipe:
    """The recommended recipe for the data and network that a query names."""
    recipe = Recipe()
    dataset, preset = query.get("data.dataset", recipe.data.dataset), query.get("network.preset", recipe.network.preset)
    return starting_recipe(dataset, preset)


def _readable(recipe: Recipe) -> Recipe:
    """The recipe itself. Raises a PlaygroundError when the form could not show it."""
    read_steps(recipe.augment)
    layers_of(recipe.network)
    return recipe


def _without_own_layers(recipe: Recipe) -> Recipe:
    """A run's recipe has its layers written out; where they are just the preset's, the preset says it all."""
    preset = recipe.network.preset
    if preset not in network_presets or recipe.network.layers != network_presets.get(preset).layers:
        return recipe
    return recipe.model_copy(update={"network": NetworkSpec(preset=preset)})


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
        forms.widget(f"recipe:{name}", name, field, value, _changed)


def _choice(name: str, field: FieldInfo, value: str) -> None:
    registry, key = CHOICES[name], f"recipe:{name}"
    st.session_state[key] = value
    chosen = st.selectbox(
        label(name),
        registry.names(),
        format_func=lambda option: registry.get(option).title,
        key=key,
        help=field.description,
        label_visibility="collapsed",
        on_change=_changed,
        args=(key,),
    )
    thing = registry.get(chosen or value)
    st.caption(plain(getattr(thing, "teaches", "") or thing.description))


# Augmentation: a preset or own steps, each with the typed parameters of its kind


def _augment_form(recipe: Recipe) -> None:
    present = next((name for name, steps in augment_presets.items() if steps == recipe.augment), OWN)
    presets = augment_presets | ({OWN: recipe.augment} if present == OWN else {})
    st.session_state["augment:preset"] = present
    st.selectbox(
        "Preset",
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
