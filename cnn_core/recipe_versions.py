"""Versions of the recipe: one of an earlier version is migrated to this one, step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cnn_core.errors import RecipeError

VERSION = 2
Values = dict[str, Any]


def _from_1(values: Values) -> Values:
    """Version 1 named no version; what is new since (`network.start`, `network.rates`) has its default."""
    return values


MIGRATIONS: dict[int, Callable[[Values], Values]] = {1: _from_1}


def to_newest(values: Values) -> Values:
    """The values of a recipe as this version has them, without their "version". Raises RecipeError for a newer one."""
    values = dict(values)
    version = values.pop("version", 1)
    if type(version) is not int or version < 1:
        raise RecipeError(f"version: it has to be a whole number from 1 to {VERSION} (it is {str(version)[:40]!r}).")
    if version > VERSION:
        raise RecipeError(
            f"This recipe has version {version}; the newest known here is {VERSION}. Update CNN Playground to read it."
        )
    for number in range(version, VERSION):
        values = MIGRATIONS[number](values)
    return values
