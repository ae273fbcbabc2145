"""A recipe that cannot be read costs its own run a sentence, and no page its list."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import update

from cnn_core.errors import RecipeError
from cnn_core.inference import Classifier
from cnn_core.jobs.queue import command, delete
from cnn_core.runs.store import store
from cnn_core.runs.tables import Run
from tests.pages.conftest import Open, errors, text

BAD = {
    "damaged": '{"seed": 3, "data": {"data',
    "empty": "",
    "of an older version": '{"data": {"dataset": "digits"}, "training": {"optimizer": "adam"}}',
    "deep": "[" * 100_000,
    "not a recipe": '"digits"',
}
PAGES = ("home", "runs", "train", "evaluate", "inside", "classify", "augmentation", "data")
SENTENCE = "recipe of the run broken cannot be read"


def break_recipe(run_id: str, recipe_json: str, **values: object) -> None:
    with store()._write() as session:
        query = update(Run).where(Run.id == run_id)
        session.execute(query.values(recipe_json=recipe_json, name="broken", **values))


@pytest.fixture(params=BAD)
def broken(runs: list[str], request: pytest.FixtureRequest) -> str:
    """The newest of two finished runs has a recipe that cannot be read."""
    break_recipe(runs[0], BAD[request.param])
    return runs[0]


@pytest.fixture
def damaged(runs: list[str]) -> str:
    break_recipe(runs[0], BAD["damaged"])
    return runs[0]


def test_the_store_lists_it(broken: str) -> None:
    run = store().runs()[0]
    assert (run.id, run.known_recipe) == (broken, None)
    with pytest.raises(RecipeError, match=SENTENCE):
        _ = run.recipe
    assert {run.name for run in store().runs_on("digits")} >= {"first"}
    with pytest.raises(RecipeError, match=SENTENCE):
        Classifier.open(broken)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens(open_page: Open, damaged: str, page: str) -> None:
    opened = open_page(page)
    assert not errors(opened)


def test_its_row_and_its_card_say_so(open_page: Open, damaged: str) -> None:
    assert "Its recipe cannot be read" in text(open_page("home"))
    table = open_page("runs").dataframe[0].value
    assert list(table["Name"]) == ["broken", "first"]
    assert table["Network"].iloc[0] == table["Data"].iloc[0] == "The recipe cannot be read"
    assert "cannot be read" not in table["Network"].iloc[1]


@pytest.mark.parametrize("page", ["evaluate", "inside", "classify"])
def test_it_is_not_offered_where_a_network_is_needed(open_page: Open, damaged: str, runs: list[str], page: str) -> None:
    opened = open_page(page)
    assert opened.selectbox(key="choice:run").value == runs[1]
    asked = open_page(page, run=damaged)
    assert SENTENCE in errors(asked)
    assert asked.selectbox(key="choice:run").value is None


def test_its_own_page_shows_its_curves_and_says_so(open_page: Open, damaged: str) -> None:
    page = open_page("train", run=damaged)
    assert SENTENCE in errors(page)
    assert "broken" in text(page)


def test_compared_with_another_it_costs_the_comparison_of_recipes_alone(
    open_page: Open, damaged: str, runs: list[str]
) -> None:
    page = open_page("runs", runs=",".join(runs))
    assert "a recipe cannot be read: broken" in text(page)
    assert not errors(page)


def test_it_can_be_renamed_and_deleted_but_not_resumed(damaged: str, home: Path) -> None:
    break_recipe(damaged, BAD["damaged"], status="interrupted")
    with pytest.raises(RecipeError, match=SENTENCE):
        command(damaged, "resume")
    store().rename(damaged, "another name")
    assert store().get(damaged).name == "another name"
    shutil.copytree(home / "runs" / damaged, home / "kept")
    delete(damaged)
    assert damaged not in {run.id for run in store().runs()}
    assert not (home / "runs" / damaged).exists()
