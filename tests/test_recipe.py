"""A recipe is one description, and everything else is made from it."""

import pytest

from cnn_core.errors import RecipeError
from cnn_core.recipe import AugmentSpec, LayerSpec, NetworkSpec, Recipe, TrainingSpec, diff
from cnn_core.spec import fields

OWN = Recipe(
    augment=(AugmentSpec(kind="shift", pixels=2),),
    network=NetworkSpec(preset="", layers=(LayerSpec(kind="flatten"), LayerSpec(kind="linear", features=0))),
    training=TrainingSpec(epochs=3, learning_rate=0.05, optimiser="sgd", nesterov=False),
    seed=7,
)


@pytest.mark.parametrize("recipe", [Recipe(), OWN], ids=["default", "own"])
def test_json_and_address_give_the_same_recipe_back(recipe: Recipe) -> None:
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert Recipe.from_query(recipe.to_query()) == recipe


def test_the_address_holds_only_what_differs() -> None:
    assert Recipe().to_query() == {}
    assert set(Recipe(seed=3).to_query()) == {"seed"}


def test_the_address_may_hold_other_things() -> None:
    assert Recipe.from_query({"run": "abc", "seed": "3"}) == Recipe(seed=3)


def test_every_leaf_has_a_default_and_help() -> None:
    for name, field in fields(Recipe):
        assert field.description, name
        assert not field.is_required(), name


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("{", "not valid JSON"),
        ("[1]", "The recipe"),
        ('{"training": {"epochs": 0}}', "training.epochs: input should be greater than or equal to 1 (it is 0)"),
        ('{"training": {"optimiser": "x"}}', "'sgd', 'adam', 'adamw', 'rmsprop' or 'muon'"),
        ('{"training": {"epoch": 1}}', "Known: epochs, batch_size"),
        ('{"colour": 1}', "Known: data, augment, network, training, seed"),
        ('{"augment": [{"pixels": 1}]}', "augment.0.kind"),
        ('{"training": {"learning_rate": NaN}}', "training.learning_rate"),
        ('{"seed": "a"}', "seed"),
    ],
)
def test_a_wrong_recipe_is_a_sentence_that_names_the_field(text: str, part: str) -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe.from_json(text)
    assert part in str(caught.value)


def test_a_wrong_address_is_a_sentence() -> None:
    for query in ({"augment": "{"}, {"training.epochs": "many"}, {"training.learning_rate": "0"}):
        with pytest.raises(RecipeError, match=next(iter(query))):
            Recipe.from_query(query)


def test_diff_names_only_what_differs() -> None:
    assert diff(Recipe(), Recipe(seed=2)) == [("seed", 0, 2)]
    assert diff(OWN, OWN) == []
    assert {name for name, _, _ in diff(Recipe(), OWN)} == {
        "augment",
        "network.preset",
        "network.layers",
        "training.epochs",
        "training.learning_rate",
        "training.optimiser",
        "training.nesterov",
        "seed",
    }
