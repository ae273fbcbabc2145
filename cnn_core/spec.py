"""Typed fields that a person can choose: the base of a recipe and of all its parts."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo

from cnn_core.errors import RecipeError

M = TypeVar("M", bound=BaseModel)


def option(
    default: Any,
    help: str,
    *,
    log: bool = False,
    advanced: bool = False,
    unit: str = "",
    needs: str = "",
    strong: float | None = None,
    **limits: Any,
) -> Any:
    """A field a person can choose.

    `log`: shown on a logarithmic scale. `advanced`: folded away. `needs`: "field=value|value", shown only then.
    `strong`: the value at full strength of an augmentation, of a field in px as a share of the image's side.
    `limits`: ge, gt, le, lt as in pydantic.
    """
    extra: dict[str, Any] = {"log": log, "advanced": advanced, "unit": unit, "needs": needs, "strong": strong}
    return Field(default, description=help, json_schema_extra=extra, **limits)


def noted(field: FieldInfo, name: str) -> Any:
    """What `option` noted on a field: log, advanced, unit, needs or strong; None where nothing is."""
    notes = field.json_schema_extra
    return notes.get(name) if isinstance(notes, dict) else None


class Spec(BaseModel):
    """Base of everything in a recipe: immutable, and an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Part(BaseModel):
    """A registered kind and its parameters, flat in JSON: {"kind": "conv", "channels": 16}.

    The kind's registry (layer kinds, augmentations) knows the parameters' types and ranges.
    """

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    kind: str = Field(description="Name in the registry.")

    @model_validator(mode="before")
    @classmethod
    def _as_json_has_it(cls, values: Any) -> Any:
        """Parts inside it and lists of them as plain lists and dicts, so that what is equal in JSON is equal."""
        return {name: _plain(value) for name, value in values.items()} if isinstance(values, dict) else values

    @property
    def parameters(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


def _plain(value: Any) -> Any:
    if isinstance(value, Part):
        return {"kind": value.kind} | value.parameters
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return {name: _plain(part) for name, part in value.items()} if isinstance(value, dict) else value


def fields(model: type[BaseModel], prefix: str = "") -> list[tuple[str, FieldInfo]]:
    """Every leaf field of a model with its dotted name, in order."""
    leaves: list[tuple[str, FieldInfo]] = []
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Spec):
            leaves += fields(field.annotation, f"{prefix}{name}.")
        else:
            leaves.append((prefix + name, field))
    return leaves


def parse(model: type[M], values: Any, where: str = "") -> M:
    """`values` as a model. Raises RecipeError: one sentence per wrong field, with what would be valid."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        sentences = [_sentence(model, problem, where) for problem in error.errors()]
        raise RecipeError(" ".join(sentences)) from None


def _sentence(model: type[BaseModel], problem: Any, where: str) -> str:
    place = ".".join(str(step) for step in problem["loc"])
    name = f"{where} {place}".strip() or "The recipe"
    if problem["type"] == "extra_forbidden":
        owner = model
        for step in problem["loc"][:-1]:
            annotation = (
                owner.model_fields[step].annotation if isinstance(step, str) and step in owner.model_fields else None
            )
            owner = annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else owner
        return f"{name} is not a known field. Known: {', '.join(owner.model_fields)}."
    return f"{name}: {problem['msg'][0].lower()}{problem['msg'][1:]} (it is {_shorten(problem['input'])})."


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
