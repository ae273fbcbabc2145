"""The same session on an NVIDIA GPU: a recorded step learns what an eager one does, and nothing waits for it."""

import copy
import dataclasses
import gc
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnn_core.data.augmentation.steps import Augmentation, augment, augmentations
from cnn_core.data.catalogue.library import open_dataset
from cnn_core.data.dataset import ImageDataset
from cnn_core.data.feed.batches import Batches
from cnn_core.data.feed.pixels import Pixels, _resident
from cnn_core.inference import Classifier
from cnn_core.models.network import Network, build
from cnn_core.models.presets import network_presets
from cnn_core.planning.recipe import check, starting_recipe
from cnn_core.recipe import Recipe, TrainingSpec
from cnn_core.runs.events import Finished
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.live import Watched, about_live
from cnn_core.runs.store import store
from cnn_core.training import live as live_module
from cnn_core.training import session as session_module
from cnn_core.training.execution import fixed
from cnn_core.training.hardware import computes_bfloat16, prepare_gpu
from cnn_core.training.session import TrainingSession
from cnn_core.training.step import WARM_STEPS, Step

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
GPU = torch.device("cuda")
OPTIMISERS = ["sgd", "adam", "adamw", "rmsprop", "muon"]


@pytest.fixture
def images(home: Path) -> ImageDataset:
    return open_dataset("fashion_mnist_sample")


@pytest.fixture(autouse=True)
def stream() -> None:
    prepare_gpu(GPU)


def learned(
    images: ImageDataset, recorded: int, optimiser: str, steps: Sequence[Augmentation] = (), **options: float
) -> Network:
    """compact_resnet after 13 batches of 128; every fourth is partial, the first of them just when the step is warm."""
    torch.manual_seed(0)
    network = build(network_presets.get("compact_resnet").layers, images.shape, 10).to(GPU)
    training = TrainingSpec(optimiser=optimiser, precision="float32", **options)
    execution = fixed(training, GPU)
    execution.apply()
    step = Step(network, training, GPU, execution, recorded)
    batches = Batches(images, "train", 128, shuffle=True, augment=steps, device=GPU)
    sizes = [77 if number % 4 == 3 else 128 for number in range(13)]
    for number, (size, (pictures, labels)) in enumerate(zip(sizes, batches.epoch(), strict=False)):
        step(pictures[:size], labels[:size], 0.01 / (1 + number))
    assert (step._graph is not None) == bool(recorded)
    assert step.counters.take()[2] == sum(sizes)
    return step.kept


@pytest.mark.parametrize("steps", [(), (augmentations.get("mixup")(),)], ids=["plain", "mixed labels"])
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_a_recorded_step_learns_the_same_with_partial_batches(
    images: ImageDataset, optimiser: str, steps: Sequence[Augmentation]
) -> None:
    torch.backends.cudnn.deterministic = True
    try:
        eager, recorded = (learned(images, size, optimiser, steps) for size in (0, 128))
    finally:
        torch.backends.cudnn.deterministic = False
    for ours, theirs in zip(recorded.parameters(), eager.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_a_recorded_step_clips_and_averages_the_same(images: ImageDataset, optimiser: str) -> None:
    torch.backends.cudnn.deterministic = True
    try:
        options = {"gradient_clipping": 0.5, "ema_decay": 0.9, "weight_decay": 0.01}
        eager, recorded = (learned(images, size, optimiser, **options) for size in (0, 128))
    finally:
        torch.backends.cudnn.deterministic = False
    for ours, theirs in zip(recorded.state_dict().values(), eager.state_dict().values(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-3)


def test_dropout_draws_anew_at_every_replay() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(48, 3)).to(GPU)
    training = TrainingSpec(precision="float32")
    step = Step(network, training, GPU, fixed(training, GPU), recorded=32)
    pictures, labels = torch.randn(32, 3, 4, 4, device=GPU), torch.arange(32, device=GPU) % 3
    losses = []
    for _ in range(WARM_STEPS + 6):
        step(pictures, labels, 0.0)
        losses.append(step.counters.take()[0])
    assert step._graph is not None
    assert len(set(losses)) == len(losses)


def test_pixels_sent_batch_by_batch_are_those_on_the_device(
    images: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    resident = Pixels(images, "validation", GPU)
    monkeypatch.setattr("cnn_core.data.feed.pixels.DEVICE_FRACTION", 0.0)
    sent = Pixels(images, "validation", GPU)
    assert resident.resident
    assert not sent.resident
    busy = torch.randn(4096, 4096, device=GPU)
    orders = [torch.randperm(len(sent))[:size] for size in (100, 100, 7, 100, 100, 120, 100, 1, 100, 100)]
    taken = []
    for positions in orders:
        for _ in range(10):
            busy = busy @ busy / 64  # the GPU falls behind: buffers are filled again before it has come so far
        taken.append([tensor.clone() for tensor in sent.take(positions)])
    for positions, ours in zip(orders, taken, strict=True):
        for mine, theirs in zip(ours, resident.take(positions.to(GPU)), strict=True):
            assert torch.equal(mine, theirs)


def test_all_splits_share_one_part_of_the_gpu(images: ImageDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    size = images.images[0].size
    train, others = (sum(len(images.splits[name]) for name in names) for names in (["train"], ["validation", "test"]))
    free = 2 * size * (train + others // 4)  # half of it holds the training images and not both of the others
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free - allocated(), free))
    before = torch.cuda.memory_allocated(GPU)
    monkeypatch.setattr(torch.cuda, "memory_reserved", torch.cuda.memory_allocated)  # nothing kept of earlier runs

    def allocated() -> int:
        return torch.cuda.memory_allocated(GPU) - before

    gc.collect()
    _resident.clear()
    splits = [Pixels(images, split, GPU) for split in ("train", "validation", "test")]
    assert splits[0].resident
    assert not all(split.resident for split in splits)
    assert sum(_resident.values()) <= free / 2
    del splits
    gc.collect()
    assert sum(_resident.values()) == 0


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("recorded", [0, 128])
def test_no_step_waits_for_the_gpu(images: ImageDataset, optimiser: str, recorded: int) -> None:
    network = build(network_presets.get("compact_resnet").layers, images.shape, 10).to(GPU)
    training = TrainingSpec(optimiser=optimiser, gradient_clipping=1.0, ema_decay=0.99, weight_decay=0.01)
    step = Step(network, training, GPU, fixed(training, GPU), recorded=recorded)
    batches = Batches(images, "train", 128, shuffle=True, device=GPU).epoch()
    for _ in range(6):  # until it is recorded
        step(*next(batches), 0.01)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(6):
            step(*next(batches), 0.01)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("kind", list(augmentations), ids=augmentations.names())
def test_no_augmentation_waits_for_the_gpu(kind: type[Augmentation]) -> None:
    pictures = torch.randint(0, 256, (64, 3, 32, 32), dtype=torch.uint8, device=GPU)
    labels, generator = torch.arange(64, device=GPU) % 10, torch.Generator(GPU)
    augment(pictures, labels, 10, [kind()], generator)  # constants are sent once
    torch.cuda.set_sync_debug_mode("error")
    try:
        images, fractions = augment(pictures, labels, 10, [kind()], generator)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert images.device.type == fractions.device.type == "cuda"


def three_epochs(**training: object) -> Recipe:
    recipe = check(starting_recipe())
    return recipe.model_copy(update={"training": recipe.training.model_copy(update={"epochs": 3, **training})})


@pytest.mark.parametrize(("before", "after"), [("cuda", "cuda"), ("cpu", "cuda"), ("cuda", "cpu")])
@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_a_run_resumed_on_either_device_goes_on_and_records_its_step(
    images: ImageDataset, monkeypatch: pytest.MonkeyPatch, before: str, after: str, optimiser: str
) -> None:
    monkeypatch.setattr(session_module, "REPORT_SECONDS", 0.0)
    recipe = three_epochs(optimiser=optimiser, learning_rate=0.1 if optimiser == "sgd" else 1e-3)
    folder = RunFolder(store().create(recipe, "test"))
    first = TrainingSession(recipe, images, folder, before)
    events = first.run()
    while first.step < 20:
        next(events)
    first.save()
    events.close()
    second = TrainingSession(recipe, images, folder, after)
    assert second.step == first.step
    *_, last = second.run()
    assert isinstance(last, Finished)
    assert last.test_accuracy > 0.6
    assert (second._learn._graph is not None) == (after == "cuda")


def test_a_second_run_in_one_process_takes_no_more_memory(images: ImageDataset) -> None:
    reserved = []
    for _ in range(3):
        recipe = three_epochs()
        *_, last = TrainingSession(recipe, images, RunFolder(store().create(recipe, "test")), "cuda").run()
        assert isinstance(last, Finished)
        gc.collect()
        reserved.append(torch.cuda.memory_reserved(GPU))
    assert reserved[2] <= 1.1 * reserved[1]
    assert torch.cuda.current_stream() == stream_of_this_process()


def stream_of_this_process() -> torch.cuda.Stream:
    prepare_gpu(GPU)
    return torch.cuda.current_stream()


def test_how_a_run_is_computed_is_measured_as_it_will_run(
    images: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded, record = list[int](), Step._record

    def count(self: Step, pictures: torch.Tensor, labels: torch.Tensor) -> None:
        recorded.append(len(pictures))
        record(self, pictures, labels)

    monkeypatch.setattr(Step, "_record", count)
    recipe = three_epochs()
    session = TrainingSession(recipe, images, RunFolder(store().create(recipe, "test")), "cuda")
    assert recorded
    assert set(recorded) == {session.batches.batch_size}
    assert session.execution.precision in (("bfloat16", "tf32") if computes_bfloat16(session.device) else ("float32",))
    assert torch.backends.cudnn.allow_tf32 == (session.execution.precision == "tf32")


def test_gradients_after_a_replayed_step_are_its_own(images: ImageDataset) -> None:
    torch.manual_seed(0)
    network = build(network_presets.get("compact_resnet").layers, images.shape, 10).to(GPU).train()
    training = TrainingSpec(optimiser="sgd", precision="float32")
    execution = dataclasses.replace(fixed(training, GPU), pool_first=False)
    execution.apply()
    step = Step(network, training, GPU, execution, recorded=128)
    batches = Batches(images, "train", 128, device=GPU).epoch()
    for size in (*[128] * (WARM_STEPS + 2), 77):  # a batch of another size has gradients of its own
        pictures, labels = next(batches)
        step(pictures[:size], labels[:size], 0.0)
    assert step._graph is not None
    pictures, labels = next(batches)
    oracle = copy.deepcopy(network)
    oracle.zero_grad()
    step(pictures, labels, 0.0)
    F.cross_entropy(oracle(pictures), labels).backward()
    for ours, theirs in zip(network.parameters(), oracle.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-4, rtol=1e-2)


def test_a_watched_run_says_how_its_layers_learn(images: ImageDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "EVERY", 0.0)
    monkeypatch.setattr(live_module, "SHARE", 1e9)
    monkeypatch.setattr(Watched, "__call__", lambda self: True)
    recipe = three_epochs(epochs=6)
    run_id = store().create(recipe, "test")
    list(TrainingSession(recipe, images, RunFolder(run_id), "cuda").run())
    noted = about_live(run_id)["learning"]
    assert noted
    assert all(value is not None for found in noted.values() for value in found.values())
    assert Classifier.open_live(run_id)
