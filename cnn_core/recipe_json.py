"""JSON of strangers: a recipe in a file or in an address."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from cnn_core.errors import RecipeError

DEEPEST = 24  # lists and objects inside each other; a recipe has 4, and 3 more for each level of branches
LONGEST_NUMBER = 400  # characters; the largest float has 309 digits


def read_json(text: str | bytes, what: str) -> Any:
    """The value of a JSON text. Raises RecipeError, which names `what` it was, for whatever cannot be read."""
    try:
        value = json.loads(text, parse_int=_whole, object_pairs_hook=_unambiguous)
    except RecursionError:
        raise RecipeError(_too_deep(what)) from None
    except UnicodeDecodeError:
        raise RecipeError(f"{what} is not text in UTF-8: is it another kind of file?") from None
    except ValueError as error:
        raise RecipeError(f"{what} is not valid JSON: {error}.") from None
    level: Iterable[Any] = [value]
    for _ in range(DEEPEST):
        level = [part for inner in level for part in _parts(inner)]
    if level:
        raise RecipeError(_too_deep(what))
    return value


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice[:40]!r} is given twice between the same braces")
    return values


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _too_deep(what: str) -> str:
    return f"{what} has more than {DEEPEST} brackets inside each other. Is it a recipe?"


def _whole(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise ValueError(f"a number has {len(digits):,} digits")
    return int(digits)
