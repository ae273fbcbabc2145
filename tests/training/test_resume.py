"""A run interrupted anywhere ends as if it had never been: weights, curves, best epoch, early stopping."""

import copy
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from cnn_core.data.catalogue.library import open_dataset
from cnn_core.data.dataset import ImageDataset
from cnn_core.errors import RunFilesError
from cnn_core.inference import Classifier
from cnn_core.jobs.unsent import point_of, recorded_points
from cnn_core.models.network import build
from cnn_core.planning.recipe import check
from cnn_core.recipe import AugmentSpec, LayerSpec, NetworkSpec, Recipe, TrainingSpec
from cnn_core.runs.events import Event, Finished
from cnn_core.runs.folder import BEST, NEXT_BEST, RESUME, RunFolder, snapshot
from cnn_core.runs.store import store
from cnn_core.training import session as session_module
from cnn_core.training.checkpoint import load_optimiser
from cnn_core.training.optimisers import build_optimiser
from cnn_core.training.session import TrainingSession

WORKER = "here"
LAYERS = (
    LayerSpec(kind="conv", channels=4, bias=False),
    LayerSpec(kind="batch_norm"),
    LayerSpec(kind="relu"),
    LayerSpec(kind="global_pool"),
    LayerSpec(kind="dropout"),
    LayerSpec(kind="linear"),
)


def recipe(**training: object) -> Recipe:
    """Four steps an epoch, the last of them smaller."""
    values = {"epochs": 3, "batch_size": 360, "learning_rate": 0.02, "layout": "channels_last", "threads": 1}
    return check(
        Recipe(
            data={"dataset": "digits"},
            augment=(AugmentSpec(kind="rotation"),),
            network=NetworkSpec(preset="", layers=LAYERS),
            training=TrainingSpec(**(values | {"pool_first": "off", "precision": "float32"} | training)),
            seed=3,
        )
    )


@pytest.fixture
def digits(home: Path, monkeypatch: pytest.MonkeyPatch) -> ImageDataset:
    monkeypatch.setattr(session_module, "REPORT_SECONDS", 0.0)  # a report at every step
    return open_dataset("digits")


@dataclass
class Run:
    """One run in the store, trained here a stretch at a time."""

    recipe: Recipe
    digits: ImageDataset

    def __post_init__(self) -> None:
        self.id = store().create(self.recipe, "test", WORKER)
        self.folder = RunFolder(self.id)

    def stretch(self, events: int | None, save: bool = True) -> int:
        """Train until so many events are recorded, None for all, in a session of its own. Returns how many."""
        torch.manual_seed(99)  # what another run of the same worker leaves behind
        session = TrainingSession(self.recipe, self.digits, self.folder, "cpu")
        known = recorded_points(self.id)
        stream: Iterator[Event] = session.run(recorded=lambda event: point_of(event) in known)
        count = 0
        for event in stream:
            count += 1
            store().record(self.id, WORKER, event)
            if count == events:
                if save and not event.ends:
                    session.save()
                stream.close()
                break
        return count

    def outcome(self) -> dict[str, object]:
        run = store().get(self.id)
        points = [(m.kind, m.step, m.epoch, m.loss, m.accuracy, m.learning_rate) for m in store().metrics(self.id)]
        told = {name: getattr(run, name) for name in ("status", "step", "best_epoch", "best_validation_loss")}
        return told | {"curves": points, "test": (run.test_accuracy, run.test_loss), "message": run.message}


def same_weights(a: Path, b: Path) -> bool:
    left, right = load_file(a), load_file(b)
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def assert_same(ours: Run, whole: Run) -> None:
    assert ours.outcome() == whole.outcome()
    assert ours.folder.epochs() == whole.folder.epochs()
    for epoch in whole.folder.epochs():
        assert same_weights(ours.folder.files.open(snapshot(epoch)), whole.folder.files.open(snapshot(epoch))), epoch
    assert same_weights(ours.folder.files.open(BEST), whole.folder.files.open(BEST))
    np.testing.assert_array_equal(ours.folder.predictions().probabilities, whole.folder.predictions().probabilities)
    assert not ours.folder.has(NEXT_BEST)


CHOICES = {
    "three epochs": {},
    "one epoch": {"epochs": 1},
    "one step an epoch": {"batch_size": 8192},
    "one step": {"batch_size": 8192, "epochs": 1},
    "average of the weights": {"ema_decay": 0.9},
    "Muon, clipped, averaged": {"optimiser": "muon", "gradient_clipping": 0.5, "ema_decay": 0.9, "weight_decay": 0.1},
    "RMSprop, clipped": {"optimiser": "rmsprop", "gradient_clipping": 0.5, "learning_rate": 0.002},
    "stopped early": {"epochs": 5, "batch_size": 720, "learning_rate": 3.0, "optimiser": "sgd", "patience": 1},
}


@pytest.mark.parametrize("save", [True, False], ids=["paused", "killed"])
@pytest.mark.parametrize("choice", CHOICES)
def test_interrupted_at_every_event_it_ends_the_same(digits: ImageDataset, choice: str, save: bool) -> None:
    """Events come at the start, after each step, after each validation and after the test."""
    chosen = recipe(**CHOICES[choice])
    whole = Run(chosen, digits)
    events = whole.stretch(None)
    assert store().get(whole.id).status == "finished"
    for at in range(1, events):
        ours = Run(chosen, digits)
        ours.stretch(at, save)
        ours.stretch(None)
        assert_same(ours, whole)


@pytest.mark.parametrize("save", [True, False], ids=["paused", "killed"])
@pytest.mark.parametrize("stride", [1, 2, 3, 5])
def test_interrupted_again_and_again_it_ends_the_same(digits: ImageDataset, stride: int, save: bool) -> None:
    whole, ours = Run(recipe(), digits), Run(recipe(), digits)
    whole.stretch(None)
    tries = 0
    while store().get(ours.id).status != "finished":
        # A killed run gets one step further each time than its last saved state, or it would never end
        ours.stretch(1 + stride + (0 if save else tries), save)
        tries += 1
        assert tries < 60
    assert_same(ours, whole)


def test_killed_between_the_state_and_the_record_no_validation_is_lost(digits: ImageDataset) -> None:
    whole, ours = Run(recipe(), digits), Run(recipe(), digits)
    whole.stretch(None)
    session = TrainingSession(recipe(), digits, ours.folder, "cpu")
    for event in session.run():
        if session.validated == 2:  # the state on disk knows of the second validation, the store does not
            break
        store().record(ours.id, WORKER, event)
    assert len([m for m in store().metrics(ours.id) if m.kind == "validation"]) == 1
    ours.stretch(None)
    assert_same(ours, whole)


def test_a_kill_between_better_weights_and_the_state_leaves_the_old_ones(
    digits: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = Run(recipe(), digits)
    session = TrainingSession(recipe(), digits, ours.folder, "cpu")
    events = session.run()
    while session.validated < 1:
        store().record(ours.id, WORKER, next(events))
    monkeypatch.setattr(session, "save", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        list(events)
    assert ours.folder.has(NEXT_BEST)
    resumed = TrainingSession(recipe(), digits, ours.folder, "cpu")
    assert resumed.best_epoch == 1
    assert same_weights(ours.folder.files.open(BEST), ours.folder.files.open(snapshot(1)))
    finished = resumed.finish("stopped")
    probabilities = Classifier.open(ours.id).classify(digits.images[digits.splits["test"]])
    np.testing.assert_allclose(ours.folder.predictions().probabilities, probabilities, atol=1e-6)
    assert finished.status == "stopped"


def paused(digits: ImageDataset) -> Run:
    """Stopped in the middle of the third epoch."""
    run = Run(recipe(), digits)
    run.stretch(1 + 2 * 5 + 2)
    return run


def test_a_change_of_rate_is_recorded_wherever_the_process_is_killed(digits: ImageDataset) -> None:
    """The state knows of the change before the record does."""
    run = Run(recipe(), digits)
    session = TrainingSession(run.recipe, digits, run.folder, "cpu")
    events = session.run()
    for _ in range(3):
        store().record(run.id, WORKER, next(events))
    change = session.change_learning_rate(0.007)
    events.close()
    assert store().changes(run.id) == []
    run.stretch(None)
    [recorded] = store().changes(run.id)
    assert (recorded.step, recorded.old, recorded.new) == (change.step, change.old_rate, change.learning_rate)
    rates = {point.step: point.learning_rate for point in store().metrics(run.id) if point.kind == "train"}
    assert {rate for step, rate in rates.items() if step > change.step} == {change.learning_rate}


def test_a_state_that_is_missing_or_of_another_network_is_not_begun_anew(digits: ImageDataset) -> None:
    run = paused(digits)
    state = torch.load(run.folder.files.open(RESUME), weights_only=True)
    torch.save(state | {"network": {"other": torch.zeros(1)}}, run.folder.files.open(RESUME))
    with pytest.raises(RunFilesError, match="does not fit its network"):
        list(TrainingSession(run.recipe, digits, run.folder, "cpu").run())
    run.folder.files.open(RESUME).unlink()
    session = TrainingSession(run.recipe, digits, run.folder, "cpu")
    with pytest.raises(RunFilesError, match="is missing"):
        list(session.run())
    assert session.best_epoch == store().get(run.id).best_epoch


def test_wrong_numbers_in_weights_are_noticed(digits: ImageDataset) -> None:
    run = Run(recipe(), digits)
    run.stretch(None)
    data = bytearray(run.folder.files.open(BEST).read_bytes())
    data[-8:] = bytes(8)
    run.folder.files.open(BEST).write_bytes(data)
    with pytest.raises(RunFilesError, match=r"is damaged\. Choose another epoch"):
        Classifier.open(run.id)


@pytest.mark.parametrize("text", ['{"classes": ["a", "b"]}', '{"classes": 5}', "[" * 100_000, "[]", "null"])
def test_a_plan_that_is_json_and_no_plan_is_read_from_the_weights(digits: ImageDataset, text: str) -> None:
    run = Run(recipe(), digits)
    run.stretch(None)
    plan = run.folder.plan()
    (run.folder.files.folder / "plan.json").write_text(text)
    assert run.folder.plan() == plan


def test_strange_files_among_the_snapshots_are_left_alone(digits: ImageDataset) -> None:
    run = Run(recipe(), digits)
    run.stretch(None)
    for name in ("epoch-abcd.safetensors", "epoch-0001 (copy).safetensors", "epoch-.safetensors"):
        (run.folder.files.folder / name).write_bytes(b"")
    assert run.folder.epochs() == [0, 1, 2, 3]


BROKEN = {"empty": lambda data: b"", "half": lambda data: data[: len(data) // 2], "garbage": lambda data: b"\0" * 500}


@pytest.mark.parametrize("how", BROKEN)
def test_a_damaged_state_is_a_sentence_and_the_best_weights_can_be_tested(digits: ImageDataset, how: str) -> None:
    run = paused(digits)
    run.folder.files.open(RESUME).write_bytes(BROKEN[how](run.folder.files.open(RESUME).read_bytes()))
    session = TrainingSession(run.recipe, digits, run.folder, "cpu")
    with pytest.raises(RunFilesError, match="saved state of this run was damaged") as caught:
        list(session.run())
    assert "pickle" not in str(caught.value)
    assert "weights_only" not in str(caught.value)
    assert session.best_epoch == store().get(run.id).best_epoch
    assert isinstance(session.finish("stopped"), Finished)


@pytest.mark.parametrize("how", BROKEN)
def test_damaged_best_weights_are_those_of_their_epoch(digits: ImageDataset, how: str) -> None:
    run = Run(recipe(), digits)
    run.stretch(None)
    images = digits.images[:20]
    expected = Classifier.open(run.id).classify(images)
    run.folder.files.open(BEST).write_bytes(BROKEN[how](run.folder.files.open(BEST).read_bytes()))
    np.testing.assert_array_equal(Classifier.open(run.id).classify(images), expected)
    best = store().get(run.id).best_epoch
    run.folder.files.open(snapshot(best)).write_bytes(b"")
    others = ", ".join(str(epoch) for epoch in range(4) if epoch != best)
    with pytest.raises(RunFilesError, match=f"best epoch is damaged. Choose another epoch: {others}"):
        Classifier.open(run.id)
    with pytest.raises(RunFilesError, match=f"epoch {best} is damaged. Choose another epoch: {others}"):
        Classifier.open(run.id, best)


@pytest.mark.parametrize("how", BROKEN)
def test_a_damaged_plan_is_read_from_the_weights(digits: ImageDataset, how: str) -> None:
    run = Run(recipe(), digits)
    run.stretch(None)
    plan, path = run.folder.plan(), run.folder.files.folder / "plan.json"
    path.write_bytes(BROKEN[how](path.read_bytes()))
    assert run.folder.plan() == plan
    for weights in (
        run.folder.files.open(BEST),
        *(run.folder.files.open(snapshot(epoch)) for epoch in run.folder.epochs()),
    ):
        weights.write_bytes(b"")
    with pytest.raises(RunFilesError, match=r"plan\.json of this run is damaged"):
        run.folder.plan()


@pytest.mark.parametrize("how", BROKEN)
def test_damaged_predictions_are_a_sentence(digits: ImageDataset, how: str) -> None:
    run = Run(recipe(), digits)
    run.stretch(None)
    path = run.folder.files.folder / "predictions.npz"
    path.write_bytes(BROKEN[how](path.read_bytes()))
    with pytest.raises(RunFilesError, match="predictions of this run are damaged"):
        run.folder.predictions()


def test_weights_of_another_network_are_a_sentence(digits: ImageDataset) -> None:
    run = Run(recipe(), digits)
    run.stretch(None)
    other = Run(recipe().model_copy(update={"network": NetworkSpec(preset="mlp")}), digits)
    other.recipe = check(other.recipe)
    other.stretch(2)
    shutil.copy(other.folder.files.open(snapshot(0)), run.folder.files.open(BEST))
    with pytest.raises(RunFilesError, match="does not fit the network"):
        Classifier.open(run.id)


def test_other_images_under_the_same_name_are_refused(digits: ImageDataset) -> None:
    run = paused(digits)
    changed = digits.__class__(**(vars(digits) | {"content_hash": "0" * 16}))
    session = TrainingSession(run.recipe, changed, run.folder, "cpu")
    with pytest.raises(RunFilesError, match="are not those this run began with"):
        list(session.run())
    with pytest.raises(RunFilesError, match="are not those this run began with"):
        session.finish("stopped")


@pytest.mark.parametrize("optimiser", ["sgd", "adam", "adamw", "rmsprop", "muon"])
@pytest.mark.parametrize(
    ("before", "after"), [("channels_last", "channels_first"), ("channels_first", "channels_last")]
)
def test_momenta_follow_the_memory_layout_of_their_weights(optimiser: str, before: str, after: str) -> None:
    """Against torch's plain optimiser, which reads every element by its strides."""
    training = recipe(optimiser=optimiser, learning_rate=0.01, momentum=0.9).training
    formats = {"channels_last": torch.channels_last, "channels_first": torch.contiguous_format}
    torch.manual_seed(0)
    network = build(LAYERS, (3, 8, 8), 10).to(memory_format=formats[before])
    images, labels = torch.randn(16, 3, 8, 8), torch.randint(10, (16,))

    def step(model: torch.nn.Module, optimiser: torch.optim.Optimizer) -> None:
        torch.manual_seed(1)
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(model(images), labels).backward()
        optimiser.step()

    first = build_optimiser(network, training, torch.device("cpu"))
    for _ in range(3):
        step(network, first)
    weights, momenta = network.state_dict(), first.state_dict()  # whoever loads them shares them

    moved = build(LAYERS, (3, 8, 8), 10)
    moved.load_state_dict(weights)
    moved.to(memory_format=formats[after])
    second = build_optimiser(moved, training, torch.device("cpu"))
    load_optimiser(second, copy.deepcopy(momenta))
    plain = build(LAYERS, (3, 8, 8), 10)
    plain.load_state_dict(weights)
    oracle = build_optimiser(plain, training, torch.device("cpu"))
    oracle.load_state_dict(copy.deepcopy(momenta))
    for group in oracle.param_groups:
        group["fused"] = False
    step(moved, second)
    step(plain, oracle)
    for ours, expected in zip(moved.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours, expected, atol=1e-6, rtol=1e-5)


def test_what_the_optimiser_is_told_is_its_own() -> None:
    training = recipe(optimiser="adam").training
    network = build(LAYERS, (1, 8, 8), 10)
    saved = build_optimiser(network, training, torch.device("cpu"))
    network(torch.randn(4, 1, 8, 8)).sum().backward()
    saved.step()
    state = saved.state_dict()
    for group in state["param_groups"]:
        group |= {"capturable": True, "fused": None, "lr": torch.tensor(9.0)}
    ours = build_optimiser(network, training, torch.device("cpu"))
    load_optimiser(ours, state)
    for group in ours.param_groups:
        assert (group["capturable"], group["fused"], group["lr"]) == (False, True, training.learning_rate)
    assert {int(values["step"].item()) for values in ours.state.values()} == {1}
