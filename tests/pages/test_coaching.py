"""The coach knows of a run what its recipe and its changes say."""

import threading

from cnn_core.jobs.execute import execute
from cnn_core.planning.recipe import check
from cnn_core.recipe import Recipe
from cnn_core.runs.store import store
from cnn_core.runs.tables import Change
from pages.ui.charts.curves import Record
from pages.ui.train import coaching
from tests.pages.conftest import Open, digits_recipe, text


def test_the_facts_are_those_of_the_run(runs: list[str]) -> None:
    run = store().get(runs[0])
    facts = coaching._facts(run, Record())
    assert (facts.classes, facts.last_layer, facts.optimiser) == (10, "linear", run.recipe.training.optimiser)
    assert (facts.learning_rate, facts.augmented, facts.ended) == (0.005, bool(run.recipe.augment), True)
    changed = coaching._facts(run, Record(changes=[Change(new=2.0), Change(new=0.1)]))
    assert changed.learning_rate == 2.0


def test_a_run_that_exploded_in_its_only_epoch_is_said_so(open_page: Open) -> None:
    values = digits_recipe("one_conv_net", 1).model_dump()
    values["training"] |= {"learning_rate": 10.0, "optimiser": "adam", "schedule": "constant"}
    run_id = store().create(check(Recipe.model_validate(values)), "exploded", worker="here")
    execute(run_id, "here", "cpu", threading.Event())
    for page in ("train", "evaluate"):
        shown = text(open_page(page, run=run_id))
        assert "No better than guessing" in shown
        assert "The learning rate, 10, is far too large; try 0.001." in shown
