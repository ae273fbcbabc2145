"""Home: a first experiment in one click, and the latest runs."""

from cnn_core.runs.store import store
from tests.pages.conftest import Open, run, text


def test_an_empty_store_offers_the_first_experiment(open_page: Open) -> None:
    page = open_page()
    assert "See a network learn" in text(page)
    assert "Latest runs" not in text(page)
    assert len(page.get("bidi_component")) == 2  # the stage and what feeds it


def test_one_click_queues_a_run_and_opens_it(open_page: Open) -> None:
    page = open_page()
    page.button[0].click()
    run(page)
    queued = store().runs()[0]
    assert queued.status == "queued"
    assert page.query_params["run"] == queued.id
    assert "torch is being loaded" in text(page)


def test_the_latest_runs_are_shown(open_page: Open, runs: list[str]) -> None:
    page = open_page()
    assert "first" in text(page)
    assert "second" in text(page)
    assert "on test images" in text(page)
