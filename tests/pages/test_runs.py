"""Runs: the table, renaming, deleting, and several runs side by side."""

import json
import re

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnn_core.jobs.queue import delete, name_of
from cnn_core.planning.recipe import check
from cnn_core.recipe import Recipe
from cnn_core.runs.events import Finished, RateChanged
from cnn_core.runs.folder import Predictions, RunFolder
from cnn_core.runs.store import store
from tests.pages.conftest import Open, digits_recipe, errors, query, run, text, train


def test_an_empty_store_points_to_train(open_page: Open) -> None:
    assert "Nothing has been trained here yet" in text(open_page("runs"))


def test_the_table_lists_every_run(open_page: Open, runs: list[str]) -> None:
    page = open_page("runs")
    table = page.dataframe[0].value
    assert list(table["Name"]) == ["second", "first"]
    assert list(table["Data"]) == ["Digits 8 × 8"] * 2


def test_two_runs_are_compared(open_page: Open, runs: list[str]) -> None:
    page = open_page("runs", runs=",".join(runs))
    assert len(page.get("echarts_chart")) == 2
    results, differences = page.dataframe[1].value, page.dataframe[2].value
    assert list(results.columns) == ["second", "first"]
    best = max(store().runs(), key=lambda one: one.test_accuracy or 0)
    assert f"{(best.test_accuracy or 0) * 100:.2f}%" in results.loc["Test accuracy", best.name]
    assert {"Preset", "Layers", "Epochs"} <= set(differences.index)
    assert not {"Dataset", "Seed", "Optimiser", "Learning rate"} & set(differences.index), "these are the same"
    assert list(differences.loc["Epochs"]) == ["2", "3"]


def test_own_layers_are_named_and_only_what_differs_is_shown(open_page: Open, home: object) -> None:
    recipe = check(digits_recipe("simple_cnn", 1))
    layers = [part.model_dump() for part in recipe.network.layers]
    place = next(place for place, part in enumerate(layers) if part["kind"] == "conv")
    layers[place]["channels"] = 5
    network = {"preset": "simple_cnn", "layers": layers}
    own = Recipe.model_validate(recipe.model_dump() | {"network": network})
    ids = [store().create(one, name_of(one)) for one in (own, recipe)]
    page = open_page("runs", runs=",".join(ids))
    assert sorted(page.dataframe[0].value["Network"]) == ["Own network (from Simple CNN)", "Simple CNN"]
    differences = page.dataframe[2].value
    assert sorted(differences.loc["Preset"]) == ["Own network (from Simple CNN)", "Simple CNN"]
    assert f"{place + 1} Conv: channels 5" in list(differences.loc["Layers"])


def finished_run(name: str, right: int, images: int = 1000) -> str:
    """A finished run that got the first `right` of the test images right."""
    run_id = store().create(check(digits_recipe("simple_cnn", 1)), name, worker="here")
    correct = np.arange(images) < right
    likely = np.where(correct, 0.9, 0.1).astype(np.float32)
    RunFolder(run_id).write_predictions(
        Predictions(np.arange(images), np.zeros(images, np.int64), np.stack([likely, 1 - likely], axis=1))
    )
    loss = float(-np.log(likely).mean())
    store().record(run_id, "here", Finished(test_accuracy=right / images, test_loss=loss))
    return run_id


@pytest.mark.parametrize(("better", "marks"), [(905, set()), (906, {"0", "1"})])
def test_chance_is_not_marked_and_accuracies_differ_in_points(
    open_page: Open, home: object, better: int, marks: set[str]
) -> None:
    """Five images more may be chance (p = 0.0625), six may not (p = 0.03125); two of one accuracy share the mark."""
    ids = [finished_run("first", 900), finished_run("better", better), finished_run("tie", better)]
    page = open_page("runs", runs=",".join(ids))
    results = page.dataframe[1]
    columns = list(results.value.columns)
    assert results.value.loc["Test accuracy", "better"] == f"{better / 10:.2f}%"
    assert results.value.loc["Test accuracy", "first"] == f"90.00%  (−{(better - 900) / 10:.2f} points)"
    assert columns[0] == "tie"
    assert set(re.findall(r"row0_col(\d)", results.proto.arrow_data.styler.styles)) == marks


def test_the_latest_finished_runs_are_compared_unasked(open_page: Open, runs: list[str]) -> None:
    page = open_page("runs")
    assert "The latest finished runs" in text(page)
    assert len(page.get("echarts_chart")) == 2


def test_a_run_is_renamed(open_page: Open, runs: list[str]) -> None:
    page = open_page("runs", runs=runs[0])
    page.text_input[0].set_value("  <b>better</b> ")
    next(button for button in page.button if button.label == "Save").click()
    run(page)
    assert store().get(runs[0]).name == "<b>better</b>"


def test_a_saved_name_closes_its_box_and_says_so(open_page: Open, runs: list[str]) -> None:
    page = open_page("runs", runs=runs[0])
    page.session_state[f"rename:{runs[0]}"] = True
    run(page)
    page.text_input[0].set_value("x" * 81)
    next(button for button in page.button if button.label == "Save").click()
    assert "at most 80 characters, not 81" in errors(run(page))
    assert page.session_state[f"rename:{runs[0]}"] is True
    page.text_input[0].set_value("x" * 80)
    next(button for button in page.button if button.label == "Save").click()
    assert [toast.value for toast in run(page).toast] == ["Saved."]
    assert page.session_state[f"rename:{runs[0]}"] is False
    assert store().get(runs[0]).name == "x" * 80
    assert not page.text_input[0].proto.max_chars, "its counter would stand over the name"


def test_a_nameless_run_is_refused(open_page: Open, runs: list[str]) -> None:
    page = open_page("runs", runs=runs[0])
    page.text_input[0].set_value("   ")
    next(button for button in page.button if button.label == "Save").click()
    assert "needs a name" in errors(run(page))


def test_a_run_is_deleted_after_a_confirmation(open_page: Open, runs: list[str]) -> None:
    page = open_page("runs", runs=runs[0])
    next(button for button in page.button if button.label == "Delete").click()
    run(page)
    assert len(store().runs()) == 2
    for label in ("Delete", "Delete 1 run"):  # a rerun without the first click would close the dialog here
        next(button for button in page.button if button.label == label).click()
    run(page)
    assert [one.id for one in store().runs()] == [runs[1]]
    assert not RunFolder(runs[0]).files.folder.exists()


@pytest.mark.parametrize(("epochs", "marks"), [((1.0, 1.0), {"1"}), ((1.0, 0.5), set())])
def test_no_time_is_the_best_between_runs_of_different_lengths(
    open_page: Open, home: object, epochs: tuple[float, float], marks: set[str]
) -> None:
    ids = [finished_run("long", 900), finished_run("short", 900)]
    for run_id, seconds, epoch in zip(ids, (20.0, 10.0), epochs, strict=True):
        store().move(run_id, ("finished",), "stopped", seconds=seconds, epoch=epoch)
    results = open_page("runs", runs=",".join(ids)).dataframe[1]
    place = list(results.value.index).index("Training time")
    best = {str(list(results.value.columns).index("short"))} if marks else set()
    assert set(re.findall(rf"row{place}_col(\d)", results.proto.arrow_data.styler.styles)) == best


def ticks(page: AppTest) -> tuple[str, list[str]]:
    """The table's identity, with which a browser keeps its ticks, and the names of the runs a new one is ticked at."""
    table = page.dataframe[0]
    rows = json.loads(table.proto.selection_default)["selection"]["rows"]
    return table.proto.id, [table.value["Name"][row] for row in rows]


def test_a_tick_stays_with_its_run_when_another_run_comes_or_goes(open_page: Open, runs: list[str]) -> None:
    page = open_page("runs", runs=runs[1])
    before = ticks(page)
    assert before[1] == ["first"]
    assert ticks(run(page)) == before  # nothing changed: the table keeps its place and the ticks it has
    newcomer = store().create(check(digits_recipe("simple_cnn", 1)), "newcomer")
    after = ticks(run(page))
    assert after[0] != before[0]
    assert after[1] == ["first"]
    assert query(page)["runs"] == runs[1]
    delete(newcomer)
    gone = ticks(run(page))
    assert gone[0] not in (before[0], after[0])
    assert gone[1] == ["first"]


def test_no_run_is_ticked_after_the_ticked_one_was_deleted(open_page: Open, runs: list[str]) -> None:
    page = open_page("runs", runs=runs[0])
    before = ticks(page)
    next(button for button in page.button if button.label == "Delete").click()
    run(page)
    for label in ("Delete", "Delete 1 run"):  # a rerun without the first click would close the dialog here
        next(button for button in page.button if button.label == label).click()
    after = ticks(run(page))
    assert after[0] != before[0]
    assert after[1] == []
    assert "runs" not in query(page)
    assert not [button for button in page.button if button.label == "Delete"]


def test_another_address_gets_another_table(open_page: Open, runs: list[str]) -> None:
    page = open_page("runs", runs=runs[0])
    before = ticks(page)
    page.query_params["runs"] = runs[1]
    after = ticks(run(page))
    assert after[0] != before[0]
    assert after[1] == ["first"]


def test_the_page_does_not_redraw_itself_while_it_asks_whether_to_delete(
    open_page: Open, runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[bool] = []
    monkeypatch.setattr("pages.ui.runs.choosing.watch", lambda: looks.append(True))
    page = open_page("runs", runs=runs[0])
    assert len(looks) == 1
    next(button for button in page.button if button.label == "Delete").click()
    run(page)
    assert [button for button in page.button if button.label == "Delete 1 run"]
    assert len(looks) == 1
    run(page)  # the question is gone
    assert len(looks) == 2


def same_recipe_again(run_id: str) -> str:
    """A second run of the same recipe, trained by the same code."""
    return train(store().get(run_id).recipe, "again")


def test_the_same_recipe_again_is_said_to_differ_in_nothing(open_page: Open, runs: list[str]) -> None:
    page = open_page("runs", runs=f"{runs[0]},{same_recipe_again(runs[0])}")
    assert "Nothing is known to differ" in text(page)
    first, second = (run.test_loss for run in store().runs() if run.recipe == store().get(runs[0]).recipe)
    assert first == second  # and so it is


def test_a_rate_changed_by_hand_is_a_difference_and_a_mark_on_the_curves(open_page: Open, runs: list[str]) -> None:
    again = same_recipe_again(runs[0])
    assert store().move(again, ("finished",), "running", worker="here")
    store().record(again, "here", RateChanged(step=10, epoch=0.5, old_rate=0.005, learning_rate=0.0025))
    store().move(again, ("running",), "finished")
    page = open_page("runs", runs=f"{runs[0]},{again}")
    differences = page.dataframe[-1].value
    assert "Nothing is known" not in text(page)
    assert "The recipes are the same. The runs differ in what is listed" in text(page)
    assert set(differences.loc["Changed by hand"]) == {"Nothing", "Learning rate 0.005 → 0.0025 at epoch 0.5"}
    for shown in (page, open_page("train", run=again)):
        charts = [chart.proto.spec for chart in shown.get("echarts_chart")]
        assert len(charts) == 2
        assert all("rate 0.0025" in chart for chart in charts)
