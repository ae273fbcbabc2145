"""The same session on an NVIDIA GPU: a recorded step learns what an eager one does, and nothing waits for it."""

from pathlib import Path

import pytest
import torch

from cnn_core.data.augmentation.steps import Augmentation, augment, augmentations
from cnn_core.data.batches import Batches
from cnn_core.data.dataset import ImageDataset
from cnn_core.data.library import open_dataset
from cnn_core.data.pixels import Pixels
from cnn_core.models.network import Network, build
from cnn_core.models.presets import network_presets
from cnn_core.recipe import TrainingSpec
from cnn_core.runs.events import Finished
from cnn_core.runs.folder import RunFolder
from cnn_core.runs.store import store
from cnn_core.training import session as session_module
from cnn_core.training.execution import fixed
from cnn_core.training.plan import check, starting_recipe
from cnn_core.training.session import TrainingSession
from cnn_core.training.step import Step

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
GPU = torch.device("cuda")


@pytest.fixture
def images(home: Path) -> ImageDataset:
    return open_dataset("fashion_mnist_sample")


@pytest.fixture(autouse=True)
def stream() -> None:
    torch.cuda.set_stream(torch.cuda.Stream())


def learned(images: ImageDataset, capture: bool, optimiser: str) -> Network:
    torch.manual_seed(0)
    network = build(network_presets.get("compact_resnet").layers, images.shape, 10).to(GPU)
    training = TrainingSpec(optimiser=optimiser, precision="float32")
    step = Step(network, training, GPU, fixed(training, GPU), capture)
    batches = Batches(images, "train", 128, shuffle=True, device=GPU)
    for number, (pictures, labels) in enumerate(batches.epoch()):
        step(pictures, labels, 0.01 / (1 + number))
        if number == 11:
            break
    assert (step._graph is not None) == capture
    assert step.counters.take()[2] == 12 * 128
    return network


@pytest.mark.parametrize("optimiser", ["sgd", "adam", "adamw"])
def test_a_recorded_step_learns_the_same(images: ImageDataset, optimiser: str) -> None:
    torch.backends.cudnn.deterministic = True
    eager, recorded = (learned(images, capture, optimiser) for capture in (False, True))
    for ours, theirs in zip(recorded.parameters(), eager.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-3)


def test_pixels_sent_batch_by_batch_are_those_on_the_device(
    images: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    resident = Pixels(images, "validation", GPU)
    monkeypatch.setattr("cnn_core.data.pixels.DEVICE_SHARE", 0.0)
    sent = Pixels(images, "validation", GPU)
    assert resident.resident
    assert not sent.resident
    positions = torch.randperm(len(sent))[:100]
    for ours, theirs in zip(sent.take(positions), resident.take(positions.to(GPU)), strict=True):
        assert torch.equal(ours, theirs)


def test_no_step_waits_for_the_gpu(images: ImageDataset) -> None:
    network = build(network_presets.get("compact_resnet").layers, images.shape, 10).to(GPU)
    training = TrainingSpec()
    step = Step(network, training, GPU, fixed(training, GPU), capture=True)
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
        images, shares = augment(pictures, labels, 10, [kind()], generator)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert images.device.type == shares.device.type == "cuda"


def test_a_run_resumed_after_its_step_was_recorded_goes_on(
    images: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "REPORT_SECONDS", 0.0)
    recipe = check(starting_recipe())
    recipe = recipe.model_copy(update={"training": recipe.training.model_copy(update={"epochs": 3})})
    folder = RunFolder(store().create(recipe, "test"))
    first = TrainingSession(recipe, images, folder, "cuda")
    events = first.run()
    while first.step < 20:
        next(events)
    first.save()
    events.close()
    *_, last = TrainingSession(recipe, images, folder, "cuda").run()
    assert isinstance(last, Finished)
    assert last.test_accuracy > 0.6
