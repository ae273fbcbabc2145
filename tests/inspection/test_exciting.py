"""What excites maps: receptive fields against gradients, images against brute force, made images by their objective."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnn_core.errors import PlaygroundError
from cnn_core.inspection import feature_visualisation as module
from cnn_core.inspection.exciting import exciting
from cnn_core.inspection.feature_visualisation import AT_ONCE, visualise
from cnn_core.inspection.receptive_field import receptive_field, windows
from cnn_core.models.network import Network, build
from cnn_core.models.preset import layer
from tests.inspection.test_stage import image_of, network_of

PATH = (
    layer("conv", channels=2, kernel=5, stride=2, padding=1),
    layer("avg_pool", kernel=3, stride=2, padding=1),
    layer("residual"),
    layer("residual", channels=3, stride=2),
    layer("conv", channels=2, kernel=3, padding=0),
    layer("flatten"),
    layer("linear"),
)


def positive(layers: Any, side: int) -> Network:
    """Every weight positive and batch norm without effect: no part of a receptive field is cancelled."""
    network = build(layers, (1, side, side), 2).eval()
    for name, weight in network.named_parameters():
        weight.data.fill_(1.0 if "weight" in name else 0.1)
    return network


@pytest.mark.parametrize("place", ["first", "last", "middle"])
@pytest.mark.parametrize(
    "address", ["0", "1", "2.conv1", "2.conv2", "2.relu2", "3.conv1", "3.skip_conv", "3.relu2", "4"]
)
def test_a_receptive_field_is_where_the_gradient_is_not_zero(address: str, place: str) -> None:
    network = positive(PATH, 41)
    image = torch.ones(1, 1, 41, 41, requires_grad=True)
    kept: list[Tensor] = []
    hook = network.get_submodule(address).register_forward_hook(lambda *of: kept.append(of[2]))
    network(image)
    hook.remove()
    height, width = kept[0].shape[2:]
    row, column = {"first": (0, 0), "last": (height - 1, width - 1), "middle": (height // 2, width // 3)}[place]
    (gradient,) = torch.autograd.grad(kept[0][0, 0, row, column], image)
    rows, columns = (gradient[0, 0] != 0).nonzero(as_tuple=True)
    expected = (int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1)
    assert receptive_field(network, address, row, column) == expected


def test_numbers_of_a_row_see_the_whole_image() -> None:
    network = positive(PATH, 41)
    assert windows(network)["6"] is None
    assert receptive_field(network, "6") == (0, 0, 41, 41)
    assert receptive_field(network_of("mlp"), "1") == (0, 0, 28, 28)


ADDRESSES = ["0", "9.conv1", "9.skip_conv", "11"]


def by_hooks(network: Network, images: Tensor) -> dict[str, Tensor]:
    """Address -> output, by hooks on a copy."""
    copied, kept = copy.deepcopy(network), {}
    for address in ADDRESSES:

        def note(_module: nn.Module, _inputs: Any, output: Tensor, address: str = address) -> None:
            kept[address] = output.detach()

        copied.get_submodule(address).register_forward_hook(note)
    copied(images)
    return kept


def some_images(count: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (count, 1, 28, 28), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("images", [1, 5, 40])
def test_exciting_images_are_those_of_brute_force(images: int) -> None:
    network, given = network_of("compact_resnet"), some_images(images)
    found = exciting(network, given.split(7), ADDRESSES)
    for address, output in by_hooks(network, given).items():
        peaks = output.amax((2, 3)).numpy() if output.ndim == 4 else output.numpy()
        for ranked, sign in ((found[address].most, -1), (found[address].least, 1)):
            assert ranked.images.shape == ranked.values.shape == (peaks.shape[1], min(9, images))
            for unit, row in enumerate(ranked.images):
                assert row.tolist() == np.argsort(sign * peaks[:, unit], kind="stable")[:9].tolist()
                np.testing.assert_allclose(ranked.values[unit], peaks[row, unit], rtol=1e-4, atol=1e-6)
            if output.ndim == 4:
                units = np.arange(len(ranked.images))[:, None]
                there = output[ranked.images, units, ranked.rows, ranked.columns]
                np.testing.assert_allclose(there, ranked.values, rtol=1e-4, atol=1e-6)
            else:
                assert not ranked.rows.any()
                assert not ranked.columns.any()
        np.testing.assert_allclose(found[address].mean, peaks.mean(0), rtol=1e-4, atol=1e-5)
        assert set(found[address].strongest_maps(3)) == set(np.argsort(-peaks.mean(0))[:3].tolist())
    assert not any(part._forward_hooks for part in network.modules())


def test_of_alike_images_the_earlier_comes_first_in_every_batch() -> None:
    given = some_images(1).repeat(12, 1, 1, 1)
    for size in (1, 5, 12):
        found = exciting(network_of("simple_cnn"), given.split(size), ["3"], k=4)["3"]
        assert (found.most.images == np.arange(4)).all()
        assert (found.least.images == np.arange(4)).all()


def test_numbers_that_are_none_come_last() -> None:
    network = build((layer("conv", channels=1, kernel=1, padding=0), layer("flatten"), layer("linear")), (1, 8, 8), 2)
    network.get_parameter("0.weight").data.fill_(1)
    given = torch.ones(5, 1, 8, 8) * torch.tensor([0.1, torch.nan, 0.3, torch.inf, 0.2]).reshape(5, 1, 1, 1)
    found = exciting(network.eval(), given.split(2), ["0"])["0"]
    assert found.most.images.tolist() == [[3, 2, 4, 0, 1]]
    assert found.least.images.tolist() == [[0, 4, 2, 3, 1]]


def test_what_is_kept_does_not_grow_with_the_images() -> None:
    found = exciting(network_of("lenet5"), some_images(60).split(20), ["0"])["0"]
    arrays = [*vars(found.most).values(), *vars(found.least).values(), found.mean]
    assert all(array.size <= 6 * 9 and array.base is None for array in arrays)


def test_without_images_none_excites() -> None:
    with pytest.raises(ValueError, match="no images"):
        exciting(network_of("mlp"), [], ["1"])


def test_the_objective_is_what_the_network_gives_for_the_image() -> None:
    network = network_of("simple_cnn")
    for address, aim in (("3", "neuron"), ("3", "map"), ("11", "neuron")):
        *_, last = visualise(network, address, [2, 5], aim, steps=13)  # type: ignore[arg-type]
        kept: list[Tensor] = []
        copied = copy.deepcopy(network)
        copied.get_submodule(address).register_forward_hook(lambda *of, kept=kept: kept.append(of[2]))
        with torch.no_grad():
            copied(torch.from_numpy(last.images))
        output = kept[0]
        for place, unit in enumerate((2, 5)):
            value = output[place, unit]
            expected = value if value.ndim == 0 else value[7, 7] if aim == "neuron" else value.mean()
            assert last.objective[place] == pytest.approx(float(expected), rel=1e-5)
        assert last.step == last.steps == 13


def test_made_images_are_repeatable_and_touch_nothing() -> None:
    network = network_of("compact_resnet")
    state, kept = torch.get_rng_state(), copy.deepcopy(network.state_dict())
    first, again, other = (
        list(visualise(network, "8.conv1", [3], steps=12, seed=seed))[-1].images for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, kept[name]) for name, value in network.state_dict().items())
    assert all(weight.requires_grad for weight in network.parameters())
    assert not any(part._forward_hooks for part in network.modules())


def test_coarse_and_fine_change_alike() -> None:
    """White noise in the coefficients is an image whose power falls with the frequency."""
    _, image_of = module._spectrum((64, 1, 32, 32), torch.Generator().manual_seed(0))
    spectrum = torch.fft.rfft2(image_of().detach() - 0.5)[:, 0].abs().square().mean(0)
    assert spectrum[1, 1] > 10 * spectrum[8, 8] > 10 * spectrum[15, 15] / 4


def dead() -> Network:
    network = build((layer("conv", channels=2), layer("relu"), layer("flatten"), layer("linear")), (1, 8, 8), 2)
    network.get_parameter("0.bias").data.fill_(-1e6)
    return network.eval()


@pytest.mark.parametrize(
    ("network", "address", "units", "sentence"),
    [
        (dead, "1", [0], "a ReLU cuts it"),
        (dead, "77", [0], "no operation at '77'"),
        (dead, "0", [2], "no map 3"),
        (dead, "0", [], "0 images at once"),
        (dead, "0", [0] * (AT_ONCE + 1), "65 images at once"),
    ],
)
def test_what_cannot_be_made_is_a_sentence(network: Any, address: str, units: list[int], sentence: str) -> None:
    with pytest.raises(PlaygroundError, match=sentence):
        list(visualise(network(), address, units))


def test_weights_that_are_not_finite_are_a_sentence() -> None:
    network = network_of("simple_cnn")
    network.get_parameter("3.bias").data[2] = torch.nan
    assert list(visualise(network, "3", [1], steps=1))
    with pytest.raises(PlaygroundError, match="not a finite number"):
        list(visualise(network, "3", [1, 2]))


def test_plain_ascent_that_cannot_move_is_a_sentence() -> None:
    with pytest.raises(PlaygroundError, match="No pixel changes this output"):
        list(visualise(dead(), "1", [0], plain=True))


def test_a_class_can_be_visualised_and_eight_pixels_are_enough() -> None:
    network = network_of("mlp", 3, 8, 2)
    *_, last = visualise(network, "5", [1])
    with torch.no_grad():
        probabilities = network(torch.from_numpy(last.images)).softmax(1)
    assert probabilities[0, 1] > network(image_of(network)).softmax(1)[0, 1]
