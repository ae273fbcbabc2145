"""Runs: the table, renaming, deleting, and several runs side by side."""

from cnn_core.runs.events import RateChanged
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store
from tests.pages.conftest import Open, errors, run, text, train


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
    assert set(differences.index) == {"Preset", "Layers", "Epochs", "Batch size", "Augment"} & set(
        differences.index
    ) | {"Epochs"}
    assert list(differences.loc["Epochs"]) == ["2", "3"]


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
    assert not RunFolder(runs[0]).path.exists()


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
