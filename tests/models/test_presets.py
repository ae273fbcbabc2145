"""The printed networks, number for number."""

import pytest
import torch
from torch import nn

from cnn_core.data.augmentation.presets import augment_presets
from cnn_core.errors import UnknownNameError
from cnn_core.models.layers import Shape
from cnn_core.models.network import build
from cnn_core.models.presets import layer, layers_of, network_presets, title_of
from cnn_core.models.summary import summarise, totals
from cnn_core.planning.recipe import starting_recipe
from cnn_core.recipe import LayerSpec, NetworkSpec


@pytest.mark.parametrize(
    ("name", "shape", "parameters"),
    [
        ("simple_cnn", (3, 32, 32), 156_074),
        ("two_conv_net", (1, 28, 28), 11_252),
        ("two_conv_net_repaired", (1, 28, 28), 11_252),
        ("one_conv_net", (3, 32, 32), 296_130),
        ("lenet5", (1, 28, 28), 61_706),
    ],
)
def test_parameter_counts(name: str, shape: Shape, parameters: int) -> None:
    layers = network_presets.get(name).layers
    assert totals(summarise(layers, shape, 10)).parameters == parameters
    assert sum(weights.numel() for weights in build(layers, shape, 10).parameters()) == parameters


def test_the_two_conv_net_is_as_printed() -> None:
    network = build(network_presets.get("two_conv_net").layers, (1, 28, 28), 10)
    printed = nn.Sequential(
        nn.Conv2d(1, 6, 5),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 10, 5),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(160, 56),
        nn.ReLU(),
        nn.Linear(56, 10),
        nn.Sigmoid(),
    )
    assert [str(child) for child in network] == [str(child) for child in printed]


def test_the_repaired_one_has_relus_and_no_sigmoid() -> None:
    kinds = [layer.kind for layer in network_presets.get("two_conv_net_repaired").layers]
    assert kinds == [
        *("conv", "relu", "max_pool", "conv", "relu", "max_pool", "flatten", "linear", "relu", "linear"),
    ]


@pytest.mark.parametrize("name", ["two_conv_net", "two_conv_net_repaired"])
def test_the_two_conv_nets_train_as_printed(name: str) -> None:
    recipe = starting_recipe("fashion_mnist", name)
    training = recipe.training
    assert (training.optimiser, training.learning_rate, training.momentum) == ("sgd", 0.04, 0.0)
    assert (training.batch_size, training.epochs, training.schedule) == (20, 15, "constant")
    assert (recipe.data.image_size, recipe.data.validation_fraction, recipe.augment) == (28, 0.2, ())


@pytest.mark.parametrize("dataset", ["cifar10", "fashion_mnist_sample", "digits"])
def test_the_simple_cnn_trains_as_printed(dataset: str) -> None:
    recipe = starting_recipe(dataset, "simple_cnn")
    training = recipe.training
    assert (training.optimiser, training.learning_rate, training.weight_decay) == ("adam", 1e-3, 0.0)
    assert (training.batch_size, training.epochs, recipe.data.image_size) == (32, 10, 32)
    printed = augment_presets.get("tutorial").steps
    assert recipe.augment == (printed[1:] if dataset == "digits" else printed)  # a mirrored digit is no digit


def test_the_one_conv_net_works_at_the_printed_size() -> None:
    assert starting_recipe("cifar10", "one_conv_net").data.image_size == 32


def test_own_layers_win_over_the_preset() -> None:
    own = (LayerSpec(kind="flatten"), LayerSpec(kind="linear"))
    assert layers_of(NetworkSpec(preset="mlp", layers=own)) == own


def test_an_unknown_preset_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"no network called 'simple_cn'.*Did you mean simple_cnn.*lenet5"):
        layers_of(NetworkSpec(preset="simple_cn"))


def test_every_layer_of_the_default_network_sees_a_batch_of_one_in_evaluation() -> None:
    network = build(network_presets.get("compact_resnet").layers, (1, 28, 28), 10).eval()
    images = torch.randn(5, 1, 28, 28)
    with torch.no_grad():
        alone = torch.cat([network(image[None]) for image in images])
        assert torch.allclose(alone, network(images), atol=1e-5)


def test_own_layers_do_not_go_by_the_name_of_the_preset_they_began_as() -> None:
    layers = network_presets.get("simple_cnn").layers
    assert title_of(NetworkSpec(preset="simple_cnn")) == title_of(NetworkSpec(preset="simple_cnn", layers=layers))
    assert title_of(NetworkSpec(preset="simple_cnn")) == network_presets.get("simple_cnn").title
    changed = NetworkSpec(preset="simple_cnn", layers=(*layers[:-1], layer("linear", features=11)))
    assert title_of(changed) == "Own network (from Simple CNN)"
    assert title_of(NetworkSpec(preset="", layers=layers)) == "Own network"
    assert title_of(NetworkSpec(preset="gone", layers=layers)) == "Own network (from gone)"
