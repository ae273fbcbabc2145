"""The code that is taken home runs, and computes what the network here computes."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from PIL import Image
from torch import Tensor

from cnn_core.data.augmentation.base import augmentations
from cnn_core.errors import PlaygroundError
from cnn_core.export.pytorch import names, network_code, training_code
from cnn_core.export.pytorch.kinds import CODE, COMPOSED
from cnn_core.models.layer import Shape
from cnn_core.models.layers import layer_kinds
from cnn_core.models.network import build
from cnn_core.models.presets import network_presets
from cnn_core.models.tree import Layers
from cnn_core.planning.recipe import starting_recipe
from cnn_core.recipe import AugmentSpec, LayerSpec, TrainingSpec
from tests.inspection.test_stage import EVERY_KIND, KINDS_OF_FAMILIES
from tests.models.test_editing import trees


def executed(source: str) -> Any:
    found: dict[str, Any] = {}
    exec(compile(source, "network.py", "exec"), found)  # what a person would run
    return found["Network"]()


def taken_over(layers: Layers, shape: Shape, classes: int) -> tuple[torch.nn.Module, torch.nn.Module]:
    """The network here, and that of the code with its weights; both in evaluation mode."""
    torch.manual_seed(3)
    here = build(layers, shape, classes)
    for module in here.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.running_mean.uniform_(-0.5, 0.5)  # type: ignore[union-attr, operator]
            module.running_var.uniform_(0.5, 2)  # type: ignore[union-attr, operator]
    there, address = executed(network_code(layers, shape, classes)), names(layers, shape, classes)
    state: dict[str, Tensor] = {}
    for name, value in here.state_dict().items():
        if not name.startswith("input."):
            module = max((old for old in address if name.startswith(f"{old}.")), key=len)
            state[address[module] + name[len(module) :]] = value
    there.load_state_dict(state)  # strict: none is missing, none is left
    return here.eval(), there.eval()


def same(layers: Layers, shape: Shape, classes: int) -> None:
    here, there = taken_over(layers, shape, classes)
    images = torch.rand(2, *shape)
    assert torch.allclose(here(images), there(images), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("preset", network_presets.names())
def test_of_every_preset(preset: str) -> None:
    found = network_presets.get(preset)
    same(found.layers, (3, found.image_size or 28, found.image_size or 28), 7)


def test_of_every_kind() -> None:
    same(EVERY_KIND, (3, 40, 40), 5)
    same(KINDS_OF_FAMILIES, (3, 24, 24), 5)
    assert sorted([*CODE, *COMPOSED]) == sorted(layer_kinds.names())


@settings(max_examples=40, deadline=None)
@given(trees)
def test_of_any_network(layers: Layers) -> None:
    whole = (*layers, LayerSpec(kind="global_pool"), LayerSpec(kind="linear"))
    try:
        build(whole, (2, 4, 4), 3)
    except PlaygroundError:
        return
    same(whole, (2, 4, 4), 3)


def test_it_reads_as_a_person_would_write_it() -> None:
    code = network_code(network_presets.get("simple_cnn").layers, (3, 32, 32), 10)
    for line in ("nn.Conv2d(3, 16, 3, padding=1),  # (16, 32, 32)", "nn.MaxPool2d(2),  # (16, 16, 16)", "nn.ReLU(),"):
        assert line in code
    assert "self.features = nn.Sequential(" in code
    assert "return self.classifier(self.features(images))" in code
    assert "range(3)" in network_code(network_presets.get("resnet_small").layers, (3, 32, 32), 10)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    for part, count in (("train", 12), ("test", 4)):
        for label in ("one", "two"):
            (tmp_path / "images" / part / label).mkdir(parents=True)
            for number in range(count):
                pixels = draw.integers(0, 256, (20, 24, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / "images" / part / label / f"{number}.png")
    return tmp_path


TRAININGS = (
    TrainingSpec(epochs=2, batch_size=8, optimiser="sgd", schedule="one_cycle", label_smoothing=0.1),
    TrainingSpec(epochs=1, batch_size=8, schedule="cosine", weight_decay=0.01),
    TrainingSpec(epochs=2, batch_size=8, optimiser="adamw", schedule="step", step_epochs=1, patience=1),
)


@pytest.mark.parametrize("training", TRAININGS, ids=lambda training: training.schedule)
def test_the_training_script_runs(training: TrainingSpec, folder: Path) -> None:
    recipe = starting_recipe("eurosat", "lenet5")
    steps = [AugmentSpec(kind=kind) for kind in augmentations.names()]
    recipe = recipe.model_copy(update={"training": training, "augment": tuple(steps)})
    code = training_code(recipe, (3, 28, 28), 2, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    script = folder / "train.py"
    script.write_text(code.replace('DATA = "data"', 'DATA = "images"'))
    done = subprocess.run([sys.executable, str(script)], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "test loss" in done.stdout
    assert (folder / "network.pt").exists()


@pytest.mark.parametrize("dataset", ["fashion_mnist_sample", "cifar10", "digits"])
@pytest.mark.parametrize("preset", network_presets.names())
def test_every_script_is_python_and_tidy(dataset: str, preset: str) -> None:
    recipe = starting_recipe(dataset, preset)
    size = recipe.data.image_size or 28
    code = training_code(recipe, (3, size, size), 10)
    compile(code, "train.py", "exec")
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "-q", "--isolated", "--select", "F,E9", "-"],
        input=code,
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stdout
