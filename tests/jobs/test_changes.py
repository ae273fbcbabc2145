"""A learning rate changed by hand: applied, recorded, and still in force after a pause at the same step."""

import threading
from pathlib import Path

import pytest

from cnn_core.jobs.execute import execute
from cnn_core.planning.recipe import check, starting_recipe
from cnn_core.recipe import Recipe
from cnn_core.runs.events import EpochEnd, Event, RateChanged, Report
from cnn_core.runs.store import store


def new_run(schedule: str = "constant") -> str:
    values = starting_recipe("digits", "mlp").model_dump()
    values["training"] |= {"epochs": 4, "batch_size": 128, "schedule": schedule}
    return store().create(check(Recipe.model_validate(values)), "changed", worker="here")


def train(run_id: str, *asked: tuple[str, float | None]) -> list[Event]:
    """Train until the run ends; at the end of its second epoch leave the commands for it."""
    events: list[Event] = []

    def watch(event: Event) -> None:
        events.append(event)
        if isinstance(event, EpochEnd) and event.epoch == 2:
            for verb, value in asked:
                store().send(run_id, verb, value)

    execute(run_id, "here", "cpu", threading.Event(), watch)
    return events


def rates_after(events: list[Event], step: int) -> set[float]:
    return {round(event.learning_rate, 9) for event in events if isinstance(event, Report) and event.step > step}


def test_a_change_is_applied_and_recorded(home: Path) -> None:
    run_id = new_run()
    events = train(run_id, ("learning_rate", 2e-4))
    (change,) = store().changes(run_id)
    assert (change.epoch, change.old, change.new) == (2.0, pytest.approx(1e-3), pytest.approx(2e-4))
    assert [event.step for event in events if isinstance(event, RateChanged)] == [change.step]
    assert rates_after(events, change.step) == {2e-4}
    assert store().get(run_id).status == "finished"


def test_a_pause_at_the_same_step_keeps_the_change_and_its_record(home: Path) -> None:
    run_id = new_run()
    train(run_id, ("learning_rate", 2e-4), ("pause", None))
    assert store().get(run_id).status == "paused"
    (change,) = store().changes(run_id)
    assert store().take(run_id, "here")
    events = train(run_id)
    assert [kept.step for kept in store().changes(run_id)] == [change.step]
    assert rates_after(events, change.step) == {2e-4}


def test_a_schedule_is_scaled(home: Path) -> None:
    run_id = new_run("cosine")
    train(run_id, ("learning_rate", 1e-4))
    points = [metric for metric in store().metrics(run_id) if metric.kind == "validation"]
    planned = {2: 0.5, 3: 0.1464466}  # of the start, at the ends of these epochs
    for point in points:
        if point.epoch > 2:
            expected = 1e-4 * planned.get(int(point.epoch), 0.0) / planned[2]
            assert point.learning_rate == pytest.approx(expected, rel=0.2, abs=1e-6)
