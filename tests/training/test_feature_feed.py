"""Frozen first layers compute their features once: the same weights as the plain way, whatever interrupts a run."""

import errno
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from cnn_core.data.catalogue.library import open_dataset
from cnn_core.data.dataset import ImageDataset
from cnn_core.data.feed import rows
from cnn_core.inference import Classifier
from cnn_core.jobs.execute import execute
from cnn_core.jobs.queue import command
from cnn_core.planning.recipe import check
from cnn_core.recipe import Recipe
from cnn_core.runs.events import Event, Preparing, Started
from cnn_core.runs.folder import PLAN, RESUME, RunFolder, snapshot
from cnn_core.runs.live import LIVE, about_live, mark_watched
from cnn_core.runs.store import store
from cnn_core.training import feature_feed
from cnn_core.training import session as session_module
from cnn_core.training.feature_feed import FeatureFeed
from cnn_core.training.session import TrainingSession

WORKER = "here"
LAYERS = [
    {"kind": "conv", "channels": 6},
    {"kind": "batch_norm"},
    {"kind": "relu"},
    {"kind": "max_pool"},
    {"kind": "residual", "channels": 8},
    {"kind": "avg_pool"},
    {"kind": "flatten"},
    {"kind": "dropout"},
    {"kind": "linear", "features": 16},
    {"kind": "relu"},
    {"kind": "linear"},
]
FROZEN = [{"address": address, "factor": 0} for address in ("0", "1", "4")]
SLOWER = [{"address": "8", "factor": 0.1}, {"address": "10", "factor": 3.0}]
ROTATION = [{"kind": "rotation"}]


def recipe(
    bank: int = 8,
    augment: list[dict[str, Any]] | None = None,
    rates: list[dict[str, Any]] = FROZEN + SLOWER,
    layers: list[dict[str, Any]] = LAYERS,
    **training: object,
) -> Recipe:
    """Four steps an epoch."""
    chosen = {"epochs": 3, "batch_size": 360, "learning_rate": 0.02, "threads": 1, "precision": "float32"}
    chosen |= {"layout": "channels_last", "pool_first": "on", "feature_bank": bank}
    values = {
        "data": {"dataset": "digits"},
        "augment": augment or [],
        "network": {"preset": "", "layers": layers, "rates": rates},
        "training": chosen | training,
        "seed": 3,
    }
    return check(Recipe.model_validate(values))


@pytest.fixture
def digits(home: Path, monkeypatch: pytest.MonkeyPatch) -> ImageDataset:
    monkeypatch.setattr(session_module, "REPORT_SECONDS", 0.0)
    return open_dataset("digits")


def session_of(chosen: Recipe, digits: ImageDataset, run_id: str = "") -> TrainingSession:
    torch.manual_seed(99)  # what another run of the same worker leaves behind
    return TrainingSession(chosen, digits, RunFolder(run_id or store().create(chosen, "test", WORKER)), "cpu")


def trained(chosen: Recipe, digits: ImageDataset) -> TrainingSession:
    session = session_of(chosen, digits)
    session.outcome = [  # type: ignore[attr-defined]
        (type(event).__name__, getattr(event, "loss", None), getattr(event, "validation_accuracy", None))
        for event in session.run()
        if not isinstance(event, Preparing)
    ]
    return session


def weights_of(session: TrainingSession) -> dict[str, Tensor]:
    """Of the last epoch: testing loads the best."""
    return load_file(session.folder.files.open(snapshot(session.epoch)))


def assert_same(ours: TrainingSession, theirs: TrainingSession) -> None:
    left, right = weights_of(ours), weights_of(theirs)
    assert left.keys() == right.keys()
    assert all(torch.equal(left[name], right[name]) for name in left)
    a, b = (session.folder.predictions() for session in (ours, theirs))
    np.testing.assert_array_equal(a.probabilities, b.probabilities)


@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
@pytest.mark.parametrize("pool_first", ["on", "off"])
@pytest.mark.parametrize("maps", [False, True], ids=["rows", "maps"])
def test_without_augmentation_the_weights_are_those_of_the_plain_way(
    digits: ImageDataset, layout: str, pool_first: str, maps: bool
) -> None:
    """Dropout included: its draws come in the same order. Parts with rates of their own too."""
    layers = [layer for layer in LAYERS if not maps or layer["kind"] not in ("avg_pool", "flatten")]
    rates = FROZEN + SLOWER
    if maps:
        layers[6:6] = [{"kind": "conv", "channels": 4}, {"kind": "batch_norm"}, {"kind": "flatten"}]
        rates = [*FROZEN, {"address": "6", "factor": 0.1}]
    chosen = [recipe(bank, rates=rates, layers=layers, layout=layout, pool_first=pool_first) for bank in (8, 0)]
    once, plain = (trained(each, digits) for each in chosen)
    assert isinstance(once.feed, FeatureFeed)
    assert not isinstance(plain.feed, FeatureFeed)
    ours, theirs = weights_of(once), weights_of(plain)
    for name, value in theirs.items():
        assert torch.allclose(ours[name], value, rtol=1e-4, atol=1e-5), name
    for (kind, loss, accuracy), (other, expected, reached) in zip(once.outcome, plain.outcome, strict=True):  # type: ignore[attr-defined]
        assert kind == other
        assert loss == pytest.approx(expected, abs=1e-4)
        assert accuracy == pytest.approx(reached, abs=0.01)
    probabilities = [session.folder.predictions().probabilities for session in (once, plain)]
    np.testing.assert_allclose(*probabilities, atol=1e-4)


def test_averaged_weights_are_those_of_the_plain_way_and_make_a_whole_network(digits: ImageDataset) -> None:
    once, plain = (trained(recipe(bank, ema_decay=0.9, gradient_clipping=1.0), digits) for bank in (8, 0))
    assert isinstance(once.feed, FeatureFeed)
    ours, theirs, learned = weights_of(once), weights_of(plain), once.network.state_dict()
    assert ours.keys() == theirs.keys() == learned.keys()
    for name, value in theirs.items():
        assert torch.allclose(ours[name], value, rtol=1e-4, atol=1e-5), name
        assert torch.equal(ours[name], learned[name]) == name.startswith(("input.", "0.", "1.", "4.")), name
    probabilities = [session.folder.predictions().probabilities for session in (once, plain)]
    np.testing.assert_allclose(*probabilities, atol=1e-4)


@pytest.mark.parametrize("augment", [None, ROTATION])
def test_frozen_weights_and_statistics_are_unchanged_bit_for_bit(digits: ImageDataset, augment: Any) -> None:
    session = trained(recipe(augment=augment), digits)
    before, after = load_file(session.folder.files.open(snapshot(0))), weights_of(session)
    assert before.keys() == after.keys() == session.network.state_dict().keys()
    assert {name for name in before if torch.equal(before[name], after[name])} == {
        name for name in before if name.startswith(("input.", "0.", "1.", "4."))
    }


def test_the_record_says_how_augmentation_is_kept(digits: ImageDataset) -> None:
    record = trained(recipe(bank=2, augment=ROTATION), digits).folder.plan()["features"]
    assert record["sentence"] == (
        "The first 7 layers are frozen, so their features were computed once for 2 augmented variants of each image; "
        "an epoch takes one of them."
    )
    assert (record["layers"], record["variants"], record["shape"], record["place"]) == (7, 2, [32], "memory")
    assert record["rows"] == 2 * len(digits.splits["train"]) + len(digits.splits["validation"])
    assert record["megabytes"] == pytest.approx(record["rows"] * 32 * 4 / 1e6, abs=1e-3)
    assert record["seconds"] >= 0
    assert session_of(recipe(bank=50, augment=ROTATION), digits).feed.record["variants"] == 3  # one for each epoch
    assert "once for each image." in session_of(recipe(bank=50), digits).feed.record["sentence"]


@pytest.mark.parametrize("save", [True, False], ids=["paused", "killed"])
@pytest.mark.parametrize(
    ("augment", "training"),
    [(ROTATION, {}), ([{"kind": "mixup"}], {"ema_decay": 0.9, "optimiser": "muon"})],
    ids=["rotation", "mixup and an average"],
)
def test_interrupted_at_every_event_it_ends_the_same(
    digits: ImageDataset,
    save: bool,
    augment: list[dict[str, Any]],
    training: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feature_feed, "TICK", 0.0)
    chosen = recipe(bank=2, augment=augment, **training)
    whole = session_of(chosen, digits)
    events = list(whole.run())
    assert isinstance(events[0], Preparing)
    for at in range(1, len(events), 1 if save else 2):
        cut = session_of(chosen, digits)
        stream = cut.run()
        for _ in range(at):
            next(stream)
        if save:
            cut.save()
        stream.close()
        resumed = session_of(chosen, digits, cut.folder.files.folder.name)  # type: ignore[attr-defined]
        assert isinstance(resumed.feed, FeatureFeed)
        list(resumed.run())
        assert_same(resumed, whole)


def test_in_a_file_they_are_the_same(digits: ImageDataset, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_memory = trained(recipe(augment=ROTATION), digits)
    monkeypatch.setattr(rows, "MEMORY_BYTES", 0)
    monkeypatch.setattr(rows, "RELEASE_BYTES", 10_000)
    in_file = trained(recipe(augment=ROTATION), digits)
    assert in_file.feed.record["place"] == "file"
    assert_same(in_file, in_memory)
    assert not list((home / "scratch").iterdir())


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"bank": 0}, "the recipe's feature bank is 0"),
        ({"layers": [*LAYERS[1:3], *LAYERS[6:]], "rates": [{"address": "0", "factor": 0}]}, "without a convolution"),
        ({"limit": "0"}, "0.0 GB, and 0 GB are allowed"),
        ({"disk": "full"}, "did not fit on the disk (No space left on device)"),
    ],
)
def test_where_it_cannot_be_or_is_not_worth_it_the_plain_way_is_taken(
    digits: ImageDataset, change: dict[str, Any], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = dict(change)
    if limit := change.pop("limit", None):
        monkeypatch.setenv("CNN_PLAYGROUND_FEATURE_MEGABYTES", limit)
    if change.pop("disk", None):
        monkeypatch.setattr(rows, "MEMORY_BYTES", 0)
        monkeypatch.setattr(rows, "_reserve", full_disk)
    session = trained(recipe(epochs=1, **change), digits)
    assert not isinstance(session.feed, FeatureFeed)
    sentence = session.folder.plan()["features"]["sentence"]
    assert sentence.startswith("The first ")
    assert why in sentence


@pytest.mark.parametrize("rates", [[], [{"address": "4", "factor": 0}], SLOWER])
def test_where_nothing_leading_is_frozen_there_is_nothing_to_say(digits: ImageDataset, rates: list) -> None:  # type: ignore[type-arg]
    session = session_of(recipe(rates=rates), digits)
    assert not isinstance(session.feed, FeatureFeed)
    assert session.feed.record == {}
    flat = session_of(recipe(rates=[], layers=[{"kind": "flatten"}, {"kind": "linear"}]), digits)
    assert flat.feed.record == {}  # a flatten never learns


def test_a_run_that_began_the_plain_way_goes_on_so(digits: ImageDataset) -> None:
    chosen = recipe(augment=ROTATION)
    begun = session_of(chosen, digits)
    next(begun.run())
    begun.save()
    path = begun.folder.files.open(PLAN)
    plan = begun.folder.plan()
    del plan["features"]  # of a version that knew none
    begun.folder.write_plan(plan)
    assert begun.folder.has(RESUME)
    resumed = session_of(chosen, digits, path.parent.name)
    assert not isinstance(resumed.feed, FeatureFeed)


def run_in_worker(chosen: Recipe, verb: str, at: int) -> str:
    """A run that gets a command at the `at`th word of progress."""
    run_id, seen = store().create(chosen, "test", WORKER), []

    def watch(event: Event) -> None:
        if isinstance(event, Preparing):
            seen.append(store().get(run_id).progress_text)
            if len(seen) == at:
                command(run_id, verb)
        assert not isinstance(event, Started) or verb == ""

    execute(run_id, WORKER, "cpu", threading.Event(), watch)
    assert len(seen) == at
    assert seen[0] == "Computing features: 512 of 4,275 images"
    return run_id


def test_a_run_is_paused_and_stopped_while_features_are_computed(
    digits: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_feed, "TICK", 0.0)
    chosen = recipe(augment=ROTATION)
    run_id = run_in_worker(chosen, "pause", 3)
    assert store().get(run_id).status == "paused"
    command(run_id, "resume")
    assert store().claim(WORKER) == run_id
    execute(run_id, WORKER, "cpu", threading.Event())
    run = store().get(run_id)
    assert (run.status, run.progress_text) == ("finished", "")
    monkeypatch.setattr(feature_feed, "TICK", 60.0)
    whole = trained(chosen, digits)
    left, right = load_file(RunFolder(run_id).files.open(snapshot(3))), weights_of(whole)
    assert all(torch.equal(left[name], right[name]) for name in left)
    monkeypatch.setattr(feature_feed, "TICK", 0.0)
    stopped = store().get(run_in_worker(chosen, "stop", 1))
    assert (stopped.status, stopped.test_accuracy) == ("stopped", None)


def test_live_weights_snapshots_and_predictions_are_of_the_whole_network(digits: ImageDataset) -> None:
    session = session_of(recipe(augment=ROTATION), digits)
    run_id = session.folder.files.folder.name  # type: ignore[attr-defined]
    stream = session.run()
    next(stream)
    mark_watched(run_id)
    next(stream)
    about = about_live(run_id)
    live = load_file(session.folder.files.open(LIVE))
    assert live.keys() == session.network.state_dict().keys()
    assert about["plan"]["features"]["layers"] == 7
    assert about["learning"]["0"]["gradient_norm"] is None
    assert about["learning"]["0"]["update_ratio"] == 0
    assert about["learning"]["10"]["gradient_norm"] > 0
    assert about["learning"]["10"]["update_ratio"] > 0
    for event in stream:
        store().record(run_id, WORKER, event)
    expected = Classifier.open(run_id).classify_many(digits.images, digits.splits["test"])
    np.testing.assert_allclose(session.folder.predictions().probabilities, expected, atol=1e-5)
    shutil.rmtree(session.folder.files.folder)  # type: ignore[attr-defined]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
@pytest.mark.parametrize("place", ["device", "memory", "file"])
def test_on_a_gpu_the_weights_are_those_of_the_plain_way(
    digits: ImageDataset, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SGD, whose steps do not turn the last digits of a gradient into whole steps; long enough to record the step."""
    monkeypatch.setattr(feature_feed, "place_for", lambda size, device: place)
    layers = [layer for layer in LAYERS if layer["kind"] != "dropout"]
    rates = [*FROZEN, {"address": "7", "factor": 0.1}]
    options = {"layers": layers, "rates": rates, "optimiser": "sgd", "epochs": 60}
    ends = []
    for bank in (8, 0):
        chosen = recipe(bank, **options)
        session = TrainingSession(chosen, digits, RunFolder(store().create(chosen, "test", WORKER)), "cuda")
        list(session.run())
        assert session._learn._graph is not None
        ends.append(weights_of(session))
        assert session.feed.record.get("place") == (place if bank else None)
    for name, value in ends[1].items():
        assert torch.allclose(ends[0][name], value, rtol=1e-2, atol=1e-3), name
