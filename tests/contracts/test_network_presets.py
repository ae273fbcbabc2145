"""What every network preset owes: it builds, its table agrees with torch, it learns, and it says what it teaches."""

import pytest
import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from cnn_core.models.layers import Shape
from cnn_core.models.network import build
from cnn_core.models.presets import NetworkPreset, layers_of, network_presets
from cnn_core.models.summary import summarise, totals
from cnn_core.recipe import NetworkSpec, Recipe

NAMES = network_presets.names()
SHAPES: list[Shape] = [(1, 28, 28), (3, 32, 32), (3, 28, 40), (3, 96, 96)]


def preset_of(name: str) -> NetworkPreset:
    return network_presets.get(name)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_the_summary_is_what_torch_does(name: str, shape: Shape) -> None:
    layers, seen = preset_of(name).layers, []
    network = build(layers, shape, 10).eval()
    for child in network:
        child.register_forward_hook(lambda module, given, output: seen.append(tuple(output.shape[1:])))
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        logits = network(torch.randn(2, *shape))
    rows = summarise(layers, shape, 10)
    assert logits.shape == (2, 10)
    assert [row.output_shape for row in rows] == seen
    assert [row.parameters for row in rows] == [sum(p.numel() for p in child.parameters()) for child in network]
    assert totals(rows).macs * 4 == counter.get_total_flops()


@pytest.mark.parametrize("name", NAMES)
def test_it_works_at_the_size_it_names_or_at_the_smallest_images(name: str) -> None:
    side = preset_of(name).image_size or 8
    assert summarise(preset_of(name).layers, (1, side, side), 10)[-1].output_shape == (10,)


@pytest.mark.parametrize("name", NAMES)
def test_steps_with_its_own_settings_lower_the_loss(name: str) -> None:
    torch.manual_seed(0)
    images, labels = torch.randn(32, 1, 28, 28), torch.arange(32) % 4
    network, training = build(preset_of(name).layers, (1, 28, 28), 4), preset_of(name).training
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    losses = []
    for _ in range(12):
        loss = F.cross_entropy(network(images), labels, label_smoothing=training.label_smoothing)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    assert all(weights.grad is not None for weights in network.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_teaches_and_where_it_comes_from(name: str) -> None:
    preset = preset_of(name)
    assert preset.name == name
    assert preset.title
    assert preset.teaches.endswith(".")
    assert ". " not in preset.teaches, "one sentence"
    assert preset.source.endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_its_recipe_survives_json_and_the_address_bar(name: str) -> None:
    preset = preset_of(name)
    recipe = Recipe(network=NetworkSpec(preset=name, layers=preset.layers), training=preset.training)
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert Recipe.from_query(recipe.to_query()) == recipe
    assert layers_of(recipe.network) == layers_of(NetworkSpec(preset=name)) == preset.layers


def test_the_networks_asked_for_are_there() -> None:
    asked = {"simple_cnn", "two_conv_net", "two_conv_net_repaired", "one_conv_net", "lenet5", "mlp", "compact_resnet"}
    timed = {"best_in_one_minute", "best_in_three_minutes", "best_in_eight_minutes"}
    assert asked | timed <= set(NAMES)
    assert NetworkSpec().preset in NAMES
