"""The chosen run travels along: the menu opens a page without an address, and it is still there."""

import pytest
from streamlit.testing.v1 import AppTest

from cnn_core.jobs.queue import delete
from cnn_core.runs.events import EpochEnd
from cnn_core.runs.store import store
from tests.pages.conftest import Open, digits_recipe, query, run, text

PICKERS = ("inside", "classify", "evaluate")


def open_from_menu(app: AppTest, page: str) -> AppTest:
    """As a click in the side menu: the session stays, the query parameters go."""
    app.query_params.clear()
    app.switch_page(f"pages/{page}.py")
    return run(app)


def test_the_menu_keeps_the_chosen_run(open_page: Open, runs: list[str]) -> None:
    page = open_page("evaluate", run=runs[1])
    for name in (*PICKERS, "train", "data", "evaluate"):
        open_from_menu(page, name)
        assert query(page).get("run") == (None if name == "data" else runs[1])
        if name in PICKERS:
            assert page.selectbox(key="choice:run").value == runs[1]


def test_a_choice_in_the_box_and_a_ticked_row_are_kept(open_page: Open, runs: list[str]) -> None:
    page = open_page("evaluate")
    page.selectbox(key="choice:run").select(runs[1])
    run(page)
    assert query(open_from_menu(page, "classify"))["run"] == runs[1]
    page = open_page("runs", runs=runs[1])
    assert "run" not in query(page)
    assert query(open_from_menu(page, "evaluate"))["run"] == runs[1]


def test_the_address_wins(open_page: Open, runs: list[str]) -> None:
    page = open_page("evaluate", run=runs[1])
    page.query_params.clear()
    page.query_params["run"] = runs[0]
    page.switch_page("pages/classify.py")
    assert run(page).selectbox(key="choice:run").value == runs[0]
    assert query(open_from_menu(page, "evaluate"))["run"] == runs[0]


@pytest.mark.parametrize("name", [*PICKERS, "train"])
def test_a_deleted_run_is_forgotten_with_a_sentence(open_page: Open, runs: list[str], name: str) -> None:
    page = open_page("evaluate", run=runs[1])
    delete(runs[1])
    assert "has been deleted" in text(open_from_menu(page, name))
    assert not page.error
    assert query(page).get("run") == (None if name == "train" else runs[0])
    assert "has been deleted" not in text(open_from_menu(page, name))


def test_a_run_that_still_learns_is_explained_and_stays_chosen(open_page: Open, runs: list[str]) -> None:
    live = store().create(digits_recipe("simple_cnn", 1), "Still at it")
    page = open_page("train", run=live)
    told = text(open_from_menu(page, "evaluate"))
    assert "Still at it is queued and has nothing to show here yet. Another run is shown." in told
    assert not page.error
    assert page.selectbox(key="choice:run").value == runs[0]
    assert query(open_from_menu(page, "train"))["run"] == live


def test_a_recipe_in_the_address_is_not_answered_with_a_run(open_page: Open, runs: list[str]) -> None:
    page = open_page("evaluate", run=runs[1])
    page.query_params.clear()
    page.query_params["data.dataset"] = "digits"
    page.switch_page("pages/train.py")
    assert "run" not in query(run(page))


def one_epoch_done() -> str:
    """A run that is being trained and has ended its first epoch."""
    live = store().create(digits_recipe("simple_cnn", 3), "Still at it", worker="here")
    done = EpochEnd(
        step=9,
        epoch=1,
        loss=1.5,
        validation_accuracy=0.5,
        learning_rate=0.01,
        images_per_second=1.0,
        seconds=1.0,
        best_epoch=1,
        best_validation_loss=1.5,
    )
    store().record(live, "here", done)
    store().move(live, ("starting",), "running")
    return live


def linked(page: AppTest) -> list[str]:
    return [link.proto.label for link in page.get("page_link")]


@pytest.mark.parametrize("name", ["train", "runs"])
def test_evaluate_is_offered_only_of_a_tested_run(open_page: Open, runs: list[str], name: str) -> None:
    key = "run" if name == "train" else "runs"
    assert "Evaluate" not in linked(open_page(name, **{key: (live := one_epoch_done())}))
    assert "Inside" in linked(open_page(name, **{key: live}))
    assert "Evaluate" in linked(open_page(name, **{key: runs[0]}))


def test_no_other_runs_results_stand_under_the_address_of_an_untested_run(open_page: Open, runs: list[str]) -> None:
    live = one_epoch_done()
    page = open_page("evaluate", run=live)
    assert "Still at it is running and has nothing to show here yet." in text(page)
    assert not page.error
    assert not page.dataframe
    assert "Test accuracy" not in text(page)
    assert query(page)["run"] == live
    assert page.selectbox(key="choice:run").value is None
    page.selectbox(key="choice:run").select(runs[1])
    assert "Test accuracy" in text(run(page))
    assert query(page)["run"] == runs[1]


@pytest.mark.parametrize(("status", "word"), [("stopped", "was stopped"), ("diverged", "diverged")])
def test_evaluate_says_when_training_ended_early(open_page: Open, runs: list[str], status: str, word: str) -> None:
    assert "its best epoch" not in text(open_page("evaluate", run=runs[1]))
    store().move(runs[1], ("finished",), status, epoch=2.106, best_epoch=2)
    shown = text(open_page("evaluate", run=runs[1]))
    assert f"This run {word} after 2.1 of 3 epochs: the weights of its best epoch, 2, were tested." in shown
