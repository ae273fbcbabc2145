"""After memory ran out: the same recipe with half the batch."""

import pytest

from cnn_core.jobs.endings import NO_MEMORY
from cnn_core.planning.recipe import check
from cnn_core.recipe import Recipe
from cnn_core.runs.events import Ended
from cnn_core.runs.store import store
from tests.pages.conftest import Open, digits_recipe, errors, recipe_on, run, text


def interrupted(batch: int, message: str) -> str:
    values = digits_recipe("simple_cnn", 3).model_dump()
    values["training"]["batch_size"] = batch
    run_id = store().create(check(Recipe.model_validate(values)), "large", worker="w")
    store().record(run_id, "w", Ended(status="interrupted", message=message))
    return run_id


@pytest.mark.parametrize(("batch", "half"), [(128, 64), (3, 1), (2, 1)])
def test_half_the_batch_is_one_click_away(open_page: Open, batch: int, half: int) -> None:
    run_id = interrupted(batch, NO_MEMORY)
    page = open_page("train", run=run_id)
    assert "not enough memory" in text(page)
    page.button(key=f"smaller:{run_id}").click()
    run(page)
    shown = recipe_on(page)
    assert (shown.training.batch_size, shown.training.epochs) == (half, 3)
    assert shown.network.layers == ()
    assert not errors(page)
    page.button(key="train").click()
    run(page)
    assert store().runs()[0].recipe.training.batch_size == half


@pytest.mark.parametrize(("batch", "message"), [(1, NO_MEMORY), (128, "The app was closed.")])
def test_it_is_offered_only_where_it_helps(open_page: Open, batch: int, message: str) -> None:
    run_id = interrupted(batch, message)
    page = open_page("train", run=run_id)
    assert f"smaller:{run_id}" not in [button.key for button in page.button]
