"""Runs: the table, renaming, deleting, and several runs side by side."""

from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store
from tests.pages.conftest import Open, errors, run, text


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
    assert set(differences.index) == {"Preset", "Layers", "Epochs", "Batch size"} & set(differences.index) | {"Epochs"}
    assert list(differences.loc["Epochs"]) == ["2", "3"]


def test_the_latest_finished_runs_are_compared_unasked(open_page: Open, runs: list[str]) -> None:
    page = open_page("runs")
    assert "The latest finished runs" in text(page)
    assert len(page.get("echarts_chart")) == 2


def test_a_run_is_renamed(open_page: Open, runs: list[str]) -> None:
    page = open_page("runs", runs=runs[0])
    page.text_input[0].set_value("  <b>better</b> ")
    run(page)
    next(button for button in page.button if button.label == "Save").click()
    run(page)
    assert store().get(runs[0]).name == "<b>better</b>"


def test_a_nameless_run_is_refused(open_page: Open, runs: list[str]) -> None:
    page = open_page("runs", runs=runs[0])
    page.text_input[0].set_value("   ")
    run(page)
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
