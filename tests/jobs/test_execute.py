"""One run from its row to its last event, by the code of a worker, in this process."""

import threading

import pytest
import torch
from sqlalchemy.exc import OperationalError

from cnn_core.errors import PlaygroundError, UnknownNameError
from cnn_core.evaluation.metrics import evaluate
from cnn_core.inference import Classifier
from cnn_core.jobs.execute import execute, forget_ended
from cnn_core.jobs.queue import command
from cnn_core.planning.recipe import check, starting_recipe
from cnn_core.recipe import LayerSpec, NetworkSpec, Recipe
from cnn_core.runs.events import EpochEnd, Event, Report
from cnn_core.runs.folder import BEST, RESUME, RunFolder
from cnn_core.runs.live import LIVE, MARK, Watched, forget_live, mark_watched
from cnn_core.runs.store import RunStore, store
from cnn_core.training import live
from cnn_core.training import session as session_module

pytestmark = pytest.mark.usefixtures("home")
WORKER = "here"
DENSE = (LayerSpec(kind="flatten"), LayerSpec(kind="linear", features=32), LayerSpec(kind="linear"))


@pytest.fixture(autouse=True)
def _report_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "REPORT_SECONDS", 0.0)


def recipe(epochs: int = 4, **training: object) -> Recipe:
    values = starting_recipe("digits", "mlp").model_dump()
    values["training"] |= {"epochs": epochs, "batch_size": 512, "threads": 1, **training}
    return check(Recipe.model_validate(values))


def fragile(**training: object) -> Recipe:
    """A network that a large learning rate breaks: no activation, no batch norm."""
    chosen = recipe(20, optimiser="sgd", momentum=0.99, schedule="constant", **training)
    return check(chosen.model_copy(update={"network": NetworkSpec(preset="", layers=DENSE)}))


def train(chosen: Recipe, at: type[Event] | None = None, epoch: int = 0, verb: str = "", value: float = 0) -> str:
    """A run that is given a command at the first event `at` of an epoch or later."""
    run_id, closing = store().create(chosen, "test", WORKER), threading.Event()

    def watch(event: Event) -> None:
        if at and isinstance(event, at) and getattr(event, "epoch", 0) >= epoch and not getattr(watch, "done", False):
            watch.done = True  # type: ignore[attr-defined]
            command(run_id, verb, value or None)

    execute(run_id, WORKER, "cpu", closing, watch)
    return run_id


def train_with(chosen: Recipe, *commands: tuple[str, float | None]) -> str:
    """A run that finds these commands together, after its first epoch."""
    run_id = store().create(chosen, "test", WORKER)

    def watch(event: Event) -> None:
        if isinstance(event, EpochEnd) and event.epoch == 1:
            for verb, value in commands:
                command(run_id, verb, value)

    execute(run_id, WORKER, "cpu", threading.Event(), watch)
    return run_id


def work() -> None:
    """What a free worker does: take the next run and train it."""
    run_id = store().claim(WORKER)
    assert run_id
    execute(run_id, WORKER, "cpu", threading.Event())


@pytest.mark.parametrize("epoch", [1, 3])
def test_a_run_that_diverges_after_good_epochs_is_tested_on_its_best_weights(epoch: int) -> None:
    run_id = train(fragile(learning_rate=0.001), EpochEnd, epoch, "learning_rate", 10.0)
    run, folder = store().get(run_id), RunFolder(run_id)
    assert run.status == "diverged"
    assert "The loss became" in run.message
    assert run.best_epoch
    predictions = folder.predictions()
    assert evaluate(predictions, folder.plan()["classes"]).accuracy == pytest.approx(run.test_accuracy)
    weights = Classifier.open(run_id).network.state_dict()
    assert all(torch.isfinite(tensor).all() for tensor in weights.values())
    assert not folder.has(RESUME)


def test_a_run_that_diverges_at_once_has_nothing_to_test() -> None:
    run = store().get(train(fragile(learning_rate=10.0, batch_size=32)))
    assert (run.status, run.best_epoch, run.test_accuracy) == ("diverged", None, None)
    assert "try 1" in run.message


@pytest.mark.parametrize("epoch", [1, 2, 4])
def test_a_paused_run_that_is_stopped_has_its_best_weights_tested(epoch: int) -> None:
    run_id = train(recipe(), EpochEnd, epoch, "pause")
    assert store().get(run_id).status == "paused"
    command(run_id, "stop")
    run = store().get(run_id)
    assert (run.status, run.position) == ("queued", 1)
    assert "best weights are tested" in run.progress_text
    with pytest.raises(PlaygroundError):
        command(run_id, "resume")
    work()
    run = store().get(run_id)
    assert (run.status, run.epoch) == ("stopped", epoch)
    predictions = RunFolder(run_id).predictions()
    assert run.test_accuracy == pytest.approx((predictions.predicted == predictions.labels).mean())
    assert not RunFolder(run_id).has(RESUME)


def test_a_run_to_be_tested_goes_before_those_that_wait() -> None:
    run_id = train(recipe(), EpochEnd, 1, "pause")
    waiting = store().create(recipe(), "waiting")
    command(run_id, "stop")
    assert store().claim(WORKER) == run_id
    assert store().get(waiting).position == 1


def test_stopping_a_resumed_run_that_waits_tests_it_too() -> None:
    run_id = train(recipe(), EpochEnd, 1, "pause")
    command(run_id, "resume")
    command(run_id, "stop")
    work()
    assert store().get(run_id).status == "stopped"
    assert store().get(run_id).test_accuracy is not None


def test_a_paused_run_without_an_epoch_is_stopped_at_once() -> None:
    run_id = store().create(recipe(), "test")
    command(run_id, "pause")
    command(run_id, "stop")
    assert store().get(run_id).status == "stopped"


@pytest.mark.parametrize("verb", ["resume", "stop"])
def test_a_run_whose_state_is_damaged_ends_with_its_best_weights_tested(verb: str) -> None:
    run_id = train(recipe(), EpochEnd, 2, "pause")
    RunFolder(run_id).files.open(RESUME).write_bytes(b"")
    command(run_id, verb)
    work()
    run = store().get(run_id)
    assert run.status == "stopped"
    assert run.test_accuracy is not None
    if verb == "resume":
        assert run.message == (
            "The saved state of this run was damaged, so it could not go on. Its best weights were tested."
        )


def test_a_run_whose_state_is_damaged_before_its_first_epoch_says_so() -> None:
    run_id = train(recipe(), Report, 0, "pause")
    assert store().get(run_id).best_epoch is None
    RunFolder(run_id).files.open(RESUME).write_bytes(b"")
    command(run_id, "resume")
    work()
    run = store().get(run_id)
    assert (run.status, run.test_accuracy) == ("stopped", None)
    assert "train it again" in run.message


def test_stop_wins_over_a_pause_before_it() -> None:
    run_id = train_with(recipe(), ("pause", None), ("stop", None))
    assert store().get(run_id).status == "stopped"
    assert store().get(run_id).test_accuracy is not None


def test_two_presses_count_twice_and_none_beyond_the_most() -> None:
    run_id = train_with(recipe(schedule="constant", learning_rate=0.001), *[("multiply_rate", 10.0)] * 2)
    assert [(change.old, change.new) for change in store().changes(run_id)] == [
        (pytest.approx(0.001), pytest.approx(0.01)),
        (pytest.approx(0.01), pytest.approx(0.1)),
    ]
    run_id = train_with(recipe(schedule="constant", learning_rate=5.0), *[("multiply_rate", 10.0)] * 3)
    assert [change.new for change in store().changes(run_id)] == [pytest.approx(10.0)]


def test_a_paused_run_whose_images_are_gone_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = train(recipe(), EpochEnd, 2, "pause")

    def gone(*_: object) -> None:
        raise UnknownNameError("There is no data set 'own-1'.")

    monkeypatch.setattr("cnn_core.jobs.execute.prepare_for", gone)
    command(run_id, "resume")
    work()
    assert store().get(run_id).status == "interrupted"
    command(run_id, "stop")
    work()
    run = store().get(run_id)
    assert run.status == "stopped"
    assert "There is no data set" in run.message
    assert not RunFolder(run_id).has(RESUME)
    assert Classifier.open(run_id)


def test_no_resume_state_outlives_its_run() -> None:
    early = train(recipe(), Report, 0, "pause")
    command(early, "stop")
    killed = train(recipe(), EpochEnd, 2, "pause")
    store().move(killed, ("paused",), "finished")  # killed between its last event and the removal
    paused = train(recipe(), EpochEnd, 2, "pause")
    forget_ended()
    assert [RunFolder(run_id).has(RESUME) for run_id in (early, killed, paused)] == [False, False, True]


def test_no_live_weights_outlive_their_worker() -> None:
    ended, paused, held = (
        train(recipe(1)),
        train(recipe(), Report, 0, "pause"),
        store().create(recipe(), "test", WORKER),
    )
    for run_id in (ended, paused, held):  # a page that was late, and a worker that was killed
        RunFolder(run_id).files.put(LIVE, lambda path: path.write_bytes(b"weights"))
        mark_watched(run_id)
    forget_ended()
    left = [[RunFolder(run_id).has(name) for name in (LIVE, MARK)] for run_id in (ended, paused, held)]
    assert left == [[False, False], [False, False], [True, True]]


@pytest.mark.parametrize("status", ["finished", "paused", "interrupted"])
def test_a_viewer_who_is_late_leaves_no_mark(status: str) -> None:
    """A page that still took the run for running marks it once its worker has gone."""
    run_id = store().create(recipe(1), "test", WORKER)
    RunFolder(run_id).write_plan({})
    mark_watched(run_id)
    assert RunFolder(run_id).has(MARK)
    forget_live(run_id)
    store().move(run_id, ("queued", "starting", "running"), status)
    mark_watched(run_id)
    assert not RunFolder(run_id).has(MARK)


@pytest.mark.parametrize(("verb", "status"), [("pause", "paused"), ("stop", "stopped"), ("", "finished")])
def test_a_run_that_leaves_its_worker_leaves_no_live_weights(
    monkeypatch: pytest.MonkeyPatch, verb: str, status: str
) -> None:
    monkeypatch.setattr(Watched, "__call__", lambda self: True)
    monkeypatch.setattr(live, "EVERY", 0.0)
    run_id, seen = store().create(recipe(2), "test", WORKER), []

    def watch(event: Event) -> None:
        mark_watched(run_id)
        if isinstance(event, Report):
            seen.append(RunFolder(run_id).has(LIVE))
            if verb and len(seen) == 1:
                command(run_id, verb)

    execute(run_id, WORKER, "cpu", threading.Event(), watch)
    assert store().get(run_id).status == status
    assert seen
    assert all(seen)
    assert not RunFolder(run_id).has(LIVE)
    assert not RunFolder(run_id).has(MARK)


def test_a_store_that_is_away_when_a_run_has_ended_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    statuses = RunStore.statuses

    def away_once(self: RunStore) -> dict[str, tuple[str, str]]:
        asked.append(1)
        if len(asked) == 1:
            raise OperationalError("select", {}, Exception("database is locked"))
        return statuses(self)

    monkeypatch.setattr(RunStore, "statuses", away_once)
    run_id = train(recipe(1))
    assert store().get(run_id).status == "finished"
    assert len(asked) == 2
    assert not RunFolder(run_id).has(RESUME)


@pytest.mark.parametrize("status", ["finished", "stopped"])
def test_the_resume_state_goes_when_the_run_has_ended(status: str) -> None:
    run_id = train(recipe(2), EpochEnd, 1, "stop") if status == "stopped" else train(recipe(2))
    assert store().get(run_id).status == status
    assert not RunFolder(run_id).has(RESUME)
    assert RunFolder(run_id).has(BEST)
