"""Recipes of other versions: an older one is migrated, a newer one refused with a sentence."""

import json
from typing import Any

import pytest

from cnn_core import recipe_versions
from cnn_core.errors import RecipeError
from cnn_core.recipe import Recipe
from cnn_core.recipe_versions import VERSION
from cnn_core.runs.tables import Run


def test_what_is_written_names_its_version_and_is_read_again() -> None:
    recipe = Recipe(seed=3)
    assert json.loads(recipe.to_json())["version"] == VERSION
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert "version" not in recipe.flat()
    assert "version" not in recipe.to_query()


def test_a_recipe_without_a_version_is_the_first() -> None:
    assert Recipe.from_json('{"seed": 3}') == Recipe(seed=3)
    assert Recipe.from_json('{"version": 1, "seed": 3}') == Recipe(seed=3)


@pytest.mark.parametrize(
    ("version", "part"),
    [
        (VERSION + 1, f"has version {VERSION + 1}; the newest known here is {VERSION}"),
        *((wrong, "a whole number from 1") for wrong in (0, -1, "2", 2.0, True, None, [], 10**30 * -1)),
    ],
)
def test_another_version_is_a_sentence(version: object, part: str) -> None:
    text = json.dumps({"version": version})
    with pytest.raises(RecipeError, match=part):
        Recipe.from_json(text)
    assert Run(recipe_json=text).known_recipe is None


def test_every_step_is_taken_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    def to_3(values: dict[str, Any]) -> dict[str, Any]:
        return values | {"seed": values["seed"] * 10}

    def to_4(values: dict[str, Any]) -> dict[str, Any]:
        return values | {"seed": values["seed"] + 1}

    monkeypatch.setattr(recipe_versions, "VERSION", 4)
    monkeypatch.setattr(recipe_versions, "MIGRATIONS", recipe_versions.MIGRATIONS | {2: to_3, 3: to_4})
    for version, seed in ((1, 71), (2, 71), (3, 8), (4, 7)):
        assert Recipe.from_json(json.dumps({"version": version, "seed": 7})).seed == seed
