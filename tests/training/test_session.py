"""The session on real images: repeatable, resumable, and honest about what it measures."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from cnn_core.data.dataset import ImageDataset
from cnn_core.errors import DivergedError
from cnn_core.inference import Classifier
from cnn_core.planning.recipe import check
from cnn_core.recipe import AugmentSpec, LayerSpec, NetworkSpec, Recipe, TrainingSpec
from cnn_core.runs.events import EpochEnd, Event, Finished, Report, Started
from cnn_core.runs.folder import BEST, RESUME, RunFolder, snapshot
from cnn_core.runs.store import store
from cnn_core.training import session as session_module
from cnn_core.training.counters import LEAST_IMAGES, Counters, RecentMean, Sums
from cnn_core.training.optimisers import build_optimiser
from cnn_core.training.session import TrainingSession
from cnn_core.training.snapshots import keep_epochs, size_of

LAYERS = (
    LayerSpec(kind="conv", channels=8),
    LayerSpec(kind="batch_norm"),
    LayerSpec(kind="relu"),
    LayerSpec(kind="max_pool"),
    LayerSpec(kind="flatten"),
    LayerSpec(kind="dropout"),
    LayerSpec(kind="linear"),
)
AUGMENT = (
    AugmentSpec(kind="rotation"),
    AugmentSpec(kind="shift"),
    AugmentSpec(kind="colour_jitter"),
    AugmentSpec(kind="cutout", size=2),
)
OPTIMISERS = ["sgd", "adam", "adamw", "rmsprop", "muon"]
MIXED = (AugmentSpec(kind="policy"), AugmentSpec(kind="mixup"), AugmentSpec(kind="cutmix"))


def recipe(**training: object) -> Recipe:
    values = {
        "epochs": 3,
        "batch_size": 64,
        "optimiser": "sgd",
        "learning_rate": 0.05,
        "schedule": "one_cycle",
        "precision": "float32",
    }
    return check(
        Recipe(
            data={"dataset": "digits"},
            augment=AUGMENT,
            network=NetworkSpec(preset="", layers=LAYERS),
            training=TrainingSpec(**(values | training)),
            seed=3,
        )
    )


def new_folder(chosen: Recipe) -> RunFolder:
    return RunFolder(store().create(chosen, "test"))


def train(chosen: Recipe, digits: ImageDataset) -> tuple[RunFolder, list[Event]]:
    folder = new_folder(chosen)
    return folder, list(TrainingSession(chosen, digits, folder, "cpu").run())


def same_weights(a: Path, b: Path) -> bool:
    left, right = load_file(a), load_file(b)
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def test_same_recipe_and_seed_give_the_same_weights(digits: ImageDataset) -> None:
    first, _ = train(recipe(), digits)
    second, _ = train(recipe(), digits)
    other, _ = train(recipe().model_copy(update={"seed": 4}), digits)
    for epoch in range(4):
        assert same_weights(first.files.open(snapshot(epoch)), second.files.open(snapshot(epoch)))
    assert not same_weights(first.files.open(snapshot(3)), other.files.open(snapshot(3)))


@pytest.mark.parametrize(
    ("optimiser", "augment"), [*((name, AUGMENT) for name in OPTIMISERS), ("adam", AUGMENT + MIXED)]
)
def test_a_run_resumed_in_the_middle_of_an_epoch_ends_with_the_same_weights(
    digits: ImageDataset, monkeypatch: pytest.MonkeyPatch, optimiser: str, augment: tuple[AugmentSpec, ...]
) -> None:
    monkeypatch.setattr(session_module, "REPORT_SECONDS", 0.0)
    chosen = recipe(optimiser=optimiser, learning_rate=0.01).model_copy(update={"augment": augment})
    whole, _ = train(chosen, digits)
    folder = new_folder(chosen)
    interrupted = TrainingSession(chosen, digits, folder, "cpu")
    events = interrupted.run()
    while interrupted.step != 1.5 * len(interrupted.batches) // 1:
        next(events)
    assert interrupted.step % len(interrupted.batches), "the test has to interrupt inside an epoch"
    interrupted.save()
    events.close()
    torch.manual_seed(99)  # what another run of the same worker leaves behind
    resumed = list(TrainingSession(chosen, digits, folder, "cpu").run())
    assert isinstance(resumed[0], Started)
    assert resumed[0].step == interrupted.step
    assert same_weights(folder.files.open(snapshot(3)), whole.files.open(snapshot(3)))
    assert same_weights(folder.files.open(BEST), whole.files.open(BEST))
    np.testing.assert_array_equal(folder.predictions().probabilities, whole.predictions().probabilities)


def test_events_come_in_order_and_the_first_step_is_reported_at_once(digits: ImageDataset) -> None:
    _, events = train(recipe(), digits)
    assert isinstance(events[0], Started)
    assert isinstance(events[1], Report)
    assert events[1].step == 1
    assert isinstance(events[-1], Finished)
    assert [event.epoch for event in events if isinstance(event, EpochEnd)] == [1, 2, 3]
    steps = [event.step for event in events if isinstance(event, Report)]
    assert steps == sorted(set(steps))
    assert steps[-1] == events[0].steps


def test_reports_are_throttled_by_time(digits: ImageDataset) -> None:
    _, events = train(recipe(epochs=6), digits)
    reports = [event for event in events if isinstance(event, Report)]
    allowed = reports[-1].seconds / session_module.REPORT_SECONDS + 6 + 2  # one at each epoch's end, and the first
    assert len(reports) <= allowed


def test_the_best_weights_are_the_ones_tested(digits: ImageDataset) -> None:
    folder, events = train(recipe(epochs=4), digits)
    ends = [event for event in events if isinstance(event, EpochEnd)]
    best = min(ends, key=lambda event: event.loss)
    assert best.epoch == ends[-1].best_epoch
    assert same_weights(folder.files.open(BEST), folder.files.open(snapshot(int(best.epoch))))
    indices = digits.splits["test"]
    said = Classifier.open(folder.files.folder.name).classify(digits.images[indices])
    stored, finished = folder.predictions(), events[-1]
    np.testing.assert_allclose(said, stored.probabilities, atol=1e-5)
    np.testing.assert_array_equal(stored.labels, digits.labels[indices])
    assert isinstance(finished, Finished)
    assert finished.test_accuracy == pytest.approx((stored.predicted == stored.labels).mean())
    truth = torch.from_numpy(stored.probabilities[np.arange(len(indices)), stored.labels])
    assert finished.test_loss == pytest.approx(-truth.log().mean().item(), rel=1e-4)


def test_reported_loss_is_cross_entropy_of_the_batch(digits: ImageDataset) -> None:
    chosen = recipe(label_smoothing=0.2)
    session = TrainingSession(chosen, digits, new_folder(chosen), "cpu")
    events = session.run()
    next(events)
    images, labels = next(session.batches.epoch(0))
    session.network.train()
    random = torch.get_rng_state()
    expected = F.cross_entropy(session.network(images), labels).item()
    torch.set_rng_state(random)
    session.network.load_state_dict(load_file(session.folder.files.open(snapshot(0))))
    report = next(events)
    assert isinstance(report, Report)
    assert report.loss == pytest.approx(expected, rel=1e-4)


def test_early_stopping_waits_for_patience(digits: ImageDataset) -> None:
    chosen = recipe(epochs=50, learning_rate=1.0, schedule="constant", patience=2)
    _, events = train(chosen, digits)
    last = [event for event in events if isinstance(event, EpochEnd)][-1]
    assert last.epoch < 50
    assert last.epoch - last.best_epoch == 2
    assert isinstance(events[-1], Finished)
    assert "Stopped early" in events[-1].message


def test_a_loss_that_is_no_number_stops_with_cause_and_suggestion(digits: ImageDataset) -> None:
    layers = (
        LayerSpec(kind="flatten"),
        LayerSpec(kind="linear", features=64),
        LayerSpec(kind="linear", features=64),
        LayerSpec(kind="linear"),
    )
    chosen = recipe(learning_rate=10.0, schedule="constant", momentum=0.99, epochs=20)
    chosen = check(chosen.model_copy(update={"network": NetworkSpec(preset="", layers=layers)}))
    with pytest.raises(DivergedError, match=r"step \d+, epoch \d.*learning rate was 10; try 1"):
        train(chosen, digits)


def test_a_new_learning_rate_scales_the_rest_of_the_schedule(digits: ImageDataset) -> None:
    chosen = recipe(schedule="cosine", learning_rate=0.1)
    session = TrainingSession(chosen, digits, new_folder(chosen), "cpu")
    session.step = session.steps // 2
    assert session.rate == pytest.approx(0.05, rel=0.1)
    session.change_learning_rate(0.01)
    assert session.rate == pytest.approx(0.01)
    session.step = session.steps
    assert session.rate < 0.001


def test_weight_decay_leaves_biases_and_batch_norm_alone(digits: ImageDataset) -> None:
    chosen = recipe(weight_decay=0.1)
    network = TrainingSession(chosen, digits, new_folder(chosen), "cpu").network
    optimiser = build_optimiser(network, chosen.training, torch.device("cpu"))
    for group in optimiser.param_groups:
        assert {p.ndim > 1 for p in group["params"]} == {group["weight_decay"] > 0}


def test_snapshots_keep_to_the_budget(digits: ImageDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNN_PLAYGROUND_SNAPSHOT_MEGABYTES", "1")
    layers = (
        LayerSpec(kind="flatten"),
        LayerSpec(kind="linear", features=512),
        LayerSpec(kind="linear"),
    )  # 0.15 MB of weights
    chosen = check(recipe(epochs=12).model_copy(update={"network": NetworkSpec(preset="", layers=layers)}))
    folder, _ = train(chosen, digits)
    kept = folder.epochs()
    assert {0, 1, 12} <= set(kept)
    assert len(kept) < 13
    counted = [name for name in folder.files.names() if name.endswith((".safetensors", ".pt"))]
    assert sum(folder.files.open(name).stat().st_size for name in counted) <= 1e6
    assert folder.has(RESUME)  # it counts too


@pytest.mark.parametrize(
    ("budget", "kept"),
    [
        (1000 + 12 * 100, set(range(1, 11))),  # ten epochs, epoch 0, the best, and the state
        (1000 + 12 * 100 - 1, {1, 2, 4, 6, 8, 10}),
        (1000 + 4 * 100, {1, 10}),
        (0, {1, 10}),
    ],
)
def test_weights_and_state_count_together(budget: int, kept: set[int]) -> None:
    assert keep_epochs(weights=100, state=1000, epochs=10, budget=budget) == kept
    assert keep_epochs(weights=100, state=1000, epochs=1, budget=budget) == {1}


@pytest.mark.parametrize("ema_decay", [0.0, 0.9])
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_sizes_are_those_of_the_files(digits: ImageDataset, optimiser: str, ema_decay: float) -> None:
    chosen = recipe(epochs=1, optimiser=optimiser, ema_decay=ema_decay)
    session = TrainingSession(chosen, digits, new_folder(chosen), "cpu")
    for _ in session.run():
        pass
    files = session.folder.files
    assert files.open(snapshot(1)).stat().st_size == pytest.approx(size_of(session.network), rel=0.1, abs=5000)
    state = size_of(session.network) + session._learn.state_size()
    assert files.open(RESUME).stat().st_size == pytest.approx(state, rel=0.1, abs=30_000)


def test_mixed_images_are_learned_and_only_training_is_mixed(digits: ImageDataset) -> None:
    chosen = recipe().model_copy(update={"augment": MIXED[1:]})
    session = TrainingSession(chosen, digits, new_folder(chosen), "cpu")
    images, fractions = next(session.batches.epoch())
    assert (fractions.shape, fractions.dtype) == ((len(images), 10), torch.float32)
    assert next(session.validation.epoch())[1].dtype == torch.int64
    *_, last = session.run()
    assert isinstance(last, Finished)
    assert last.test_accuracy > 0.6


def test_counters_count_mixed_labels_by_their_largest_share() -> None:
    logits = torch.tensor([[2.0, 0.0, 1.0], [0.0, 3.0, 1.0]])
    fractions = torch.tensor([[0.3, 0.0, 0.7], [0.1, 0.9, 0.0]])
    counters = Counters(torch.device("cpu"))
    counters.add(logits, fractions)
    counters.images = 2
    loss, correct, images = counters.take()
    assert loss / images == pytest.approx(-(fractions * logits.log_softmax(1)).sum(1).mean().item())
    assert (correct, images) == (1, 2)
    assert counters.take() == (0.0, 0, 0)


@pytest.mark.parametrize("last", [1, 2, LEAST_IMAGES - 1, LEAST_IMAGES, LEAST_IMAGES + 1])
def test_a_reported_mean_never_rests_on_a_few_images(last: int) -> None:
    mean = RecentMean()
    mean.add(Sums(LEAST_IMAGES * 0.5, LEAST_IMAGES, LEAST_IMAGES))
    assert (mean.loss, mean.accuracy) == (0.5, 1.0)
    mean.add(Sums(last * 3.5, 0, last))
    alone = last >= LEAST_IMAGES
    everything = LEAST_IMAGES + last
    assert mean.loss == pytest.approx(3.5 if alone else (LEAST_IMAGES * 0.5 + last * 3.5) / everything)
    assert mean.accuracy == pytest.approx(0.0 if alone else LEAST_IMAGES / everything)
    mean.add(Sums(0.0, LEAST_IMAGES, LEAST_IMAGES))
    assert (mean.loss, mean.accuracy) == (0.0, 1.0)
