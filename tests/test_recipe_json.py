"""Whatever a stranger's JSON holds, it is read or it is one sentence."""

import json
import sys

import pytest

from cnn_core.errors import RecipeError
from cnn_core.recipe import Recipe
from cnn_core.recipe_json import DEEPEST, LONGEST_NUMBER, read_json


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, nested(DEEPEST + 1), nested(900), '[{"a":' * 20])
def test_brackets_inside_brackets_are_a_sentence(text: str) -> None:
    with pytest.raises(RecipeError, match=r"(more than 24 brackets|not valid JSON)"):
        read_json(text, "This recipe")
    with pytest.raises(RecipeError, match=r"augment in the address"):
        Recipe.from_query({"augment": text})


def test_the_deepest_that_is_read() -> None:
    assert read_json(nested(DEEPEST), "it") == json.loads(nested(DEEPEST))
    with pytest.raises(RecipeError, match="brackets"):
        read_json(nested(DEEPEST + 1), "it")


def test_a_deep_step_is_refused_before_anything_prints_it() -> None:
    """What is read at a shallow place is shown at a deep one: a value just below the limit of recursion fails there."""
    deep = nested(sys.getrecursionlimit() - 150)
    with pytest.raises(RecipeError, match="brackets"):
        Recipe.from_json('{"augment": [{"kind": "cutout", "size": ' + deep + "}]}")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (b"\xb0\x00\xff", "not text in UTF-8"),
        (b"", "not valid JSON"),
        ('{"seed": ' + "9" * (LONGEST_NUMBER + 1) + "}", "a number has 401 digits"),
        ('{"seed": ' + "9" * 100_000 + "}", "a number has 100,000 digits"),
        ('{"seed": ' + "9" * LONGEST_NUMBER + "}", "seed: input should be"),
        ('{"seed": 1e400}', "seed: input should be a finite number"),
        ('{"training": {"learning_rate": NaN}}', "training.learning_rate: input should be"),
        ('{"training": {"epochs": -1}}', "training.epochs: input should be greater"),
        ("[]", "The recipe: input should be a valid dictionary"),
        ("null", "The recipe: input should be"),
    ],
)
def test_bad_recipes_name_what_is_wrong(text: str | bytes, part: str) -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe.from_json(text)
    assert part in str(caught.value)
    assert len(str(caught.value)) < 300
    assert "sys." not in str(caught.value)
