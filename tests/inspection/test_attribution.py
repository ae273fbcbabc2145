"""Attributions against captum on an independent copy and against autograd by hand."""

import copy
import math
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import (
    GuidedBackprop,
    GuidedGradCam,
    IntegratedGradients,
    LayerAttribution,
    LayerGradCam,
    NoiseTunnel,
    Occlusion,
    Saliency,
)
from scipy.stats import rankdata
from torch import Tensor
from torch.nn import functional as F

from cnn_core.errors import PlaygroundError
from cnn_core.inspection import attribution as module
from cnn_core.inspection.attribution import METHODS, Attribution, attribute, convolutions, with_places
from cnn_core.inspection.attribution_check import by_region, occlusion_drop, randomised, rank_correlation
from cnn_core.inspection.guided import guided_gradient
from cnn_core.inspection.overlay import colour_bar, overlay
from cnn_core.models.network import Network, build
from cnn_core.models.preset import layer
from tests.inspection.test_stage import image_of, network_of

FIRST = {"simple_cnn": "6", "compact_resnet": "9.conv2", "lenet5": "3"}


def by_captum(network: Network, pixels: Tensor, target: int, method: str, address: str) -> Tensor:
    own = copy.deepcopy(network).eval()
    if method == "grad_cam":
        maps = LayerGradCam(own, own.get_submodule(address)).attribute(pixels, target, relu_attributions=True)
        return LayerAttribution.interpolate(maps, tuple(pixels.shape[2:]), "bilinear")[0, 0]
    if method == "guided_grad_cam":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return GuidedGradCam(own, own.get_submodule(address)).attribute(pixels, target)[0].sum(0)
    if method == "integrated_gradients":
        return IntegratedGradients(own).attribute(pixels, target=target, n_steps=50)[0].sum(0)
    if method == "occlusion":
        channels, side = pixels.shape[1], max(2, round(pixels.shape[2] / 7))
        step = (channels, max(1, side // 2), max(1, side // 2))
        mean = own.input.mean.view(1, -1, 1, 1).expand_as(pixels)
        window = (channels, side, side)
        return Occlusion(own).attribute(pixels, window, step, mean, target, perturbations_per_eval=64)[0].mean(0)
    return Saliency(own).attribute(pixels, target)[0].amax(0)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", FIRST)
@pytest.mark.parametrize("method", [name for name in METHODS if name != "smooth_grad"])
def test_it_is_what_captum_says_of_a_copy(method: str, name: str, channels: int) -> None:
    network = network_of(name, channels, side=20)
    image = image_of(network)
    address = FIRST[name] if METHODS[method].layered else ""
    found = attribute(network, image, 3, method, address)
    expected = by_captum(network, (image.float() / 255).requires_grad_(), 3, method, address)
    np.testing.assert_allclose(found.values, expected.detach().numpy(), rtol=1e-3, atol=1e-6)
    assert found.values.shape == tuple(image.shape[2:])
    assert found.signed or found.values.min() >= 0


def test_grad_cam_is_its_formula_by_autograd() -> None:
    network = network_of("simple_cnn")
    image = image_of(network)
    own = copy.deepcopy(network).eval()
    maps = own.input(image)
    for position in range(4):
        maps = own[position](maps)
    maps = values = maps.detach().requires_grad_()
    for position in range(4, len(own)):
        values = own[position](values)
    (gradient,) = torch.autograd.grad(values[0, 7], maps)
    weighted = F.relu((gradient.mean((2, 3), keepdim=True) * maps).sum(1, keepdim=True))
    expected = F.interpolate(weighted, (28, 28), mode="bilinear", align_corners=False)[0, 0]
    found = attribute(network, image, 7, "grad_cam", "3")
    np.testing.assert_allclose(found.values, expected.detach().numpy(), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("name", ["simple_cnn", "compact_resnet", "mlp", "every kind"])
def test_guided_backpropagation_is_captums(name: str) -> None:
    network = network_of(name)
    pixels = image_of(network).float() / 255
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = GuidedBackprop(copy.deepcopy(network)).attribute(pixels.clone().requires_grad_(), 6)
    np.testing.assert_allclose(guided_gradient(network, pixels, 6).numpy(), expected.numpy(), rtol=1e-4, atol=1e-7)
    assert not pixels.requires_grad


def test_smooth_grad_is_saliency_with_noise_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_of("simple_cnn")
    image = image_of(network)
    found = attribute(network, image, 2, "smooth_grad")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        tunnel = NoiseTunnel(Saliency(copy.deepcopy(network)))
        pixels = (image.float() / 255).requires_grad_()
        expected = tunnel.attribute(pixels, nt_type="smoothgrad", nt_samples=400, stdevs=0.15, target=2)[0].amax(0)
    assert np.corrcoef(found.values.ravel(), expected.detach().numpy().ravel())[0, 1] > 0.9
    monkeypatch.setattr(module, "NOISE", 0.0)
    still, plain = (attribute(network, image, 2, method) for method in ("smooth_grad", "saliency"))
    np.testing.assert_allclose(still.values, plain.values, rtol=1e-4, atol=1e-7)


def test_integrated_gradients_sum_to_the_difference_of_the_scores() -> None:
    network = network_of("mlp")
    image = image_of(network)
    found = attribute(network, image, 1, "integrated_gradients")
    with torch.no_grad():
        difference = network(image)[0, 1] - network(torch.zeros_like(image))[0, 1]
    assert found.values.sum() == pytest.approx(float(difference), rel=0.02, abs=1e-3)


def test_many_at_once_are_as_alone_and_leave_nothing() -> None:
    network = network_of("compact_resnet", side=16)
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    tasks = [(image_of(network, seed), method) for seed in range(2) for method in METHODS]
    alone = [attribute(network, image, 4, method).values for image, method in tasks]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda task: attribute(network, task[0], 4, task[1]).values, tasks))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-7)
    for part in network.modules():
        assert not part._forward_hooks
        assert not part._backward_hooks
        assert not part._forward_pre_hooks
    assert all(torch.equal(value, weights[name]) for name, value in network.state_dict().items())
    assert all(weight.grad is None for weight in network.parameters())
    assert torch.equal(torch.get_rng_state(), state)


def ends_in_one_place() -> Network:
    last = layer("conv", channels=4, kernel=8, padding=0)
    layers = (layer("conv", channels=3), last, layer("flatten"), layer("linear"))
    return build(layers, (1, 8, 8), 1).eval()


def only_one_place() -> Network:
    layers = (layer("conv", channels=3, kernel=8, padding=0), layer("flatten"), layer("linear"))
    return build(layers, (1, 8, 8), 2).eval()


@pytest.mark.parametrize(
    ("network", "target", "method", "address", "sentence"),
    [
        (lambda: network_of("mlp"), 0, "grad_cam", "", "no convolution"),
        (lambda: network_of("mlp"), 0, "guided_grad_cam", "1", "no convolution"),
        (ends_in_one_place, 0, "grad_cam", "1", "1×1"),
        (ends_in_one_place, 1, "saliency", "", "no class number 1"),
        (ends_in_one_place, -1, "saliency", "", "no class number -1"),
        (ends_in_one_place, 0, "grad_cam", "2", "no convolution at '2'"),
        (ends_in_one_place, 0, "lime", "", "no method 'lime'"),
        (ends_in_one_place, 0, "saliency", "0", "not at the layer '0'"),
        (only_one_place, 0, "guided_grad_cam", "", "Use another method"),
    ],
)
def test_what_means_nothing_is_refused_with_a_sentence(
    network: Any, target: int, method: str, address: str, sentence: str
) -> None:
    built = network()
    with pytest.raises(PlaygroundError, match=sentence):
        attribute(built, image_of(built), target, method, address)


@pytest.mark.parametrize("method", METHODS)
def test_a_network_that_diverged_is_refused(method: str) -> None:
    network = network_of("simple_cnn")
    with torch.no_grad():
        network.get_parameter("0.weight").fill_(float("inf"))
    with pytest.raises(PlaygroundError, match="not finite"):
        attribute(network, image_of(network), 0, method)


def test_convolutions_with_places_are_those_with_more_than_one() -> None:
    assert list(convolutions(ends_in_one_place())) == ["0", "1"]
    assert list(with_places(ends_in_one_place())) == ["0"]
    assert with_places(only_one_place()) == with_places(network_of("mlp")) == {}
    assert with_places(network_of("compact_resnet")) == convolutions(network_of("compact_resnet"))


@pytest.mark.parametrize("method", METHODS)
def test_one_class_and_eight_pixels_are_enough(method: str) -> None:
    network = ends_in_one_place()
    found = attribute(network, image_of(network), 0, method)
    assert found.address == ("0" if METHODS[method].layered else "")
    assert np.isfinite(found.values).all()


def test_every_convolution_can_be_looked_at() -> None:
    network = network_of("compact_resnet", side=16)
    known = convolutions(network)
    assert {"0", "8.conv1", "9.skip_conv"} <= set(known)
    for address in known:
        assert attribute(network, image_of(network), 0, "grad_cam", address).address == address


def test_random_weights_are_drawn_anew_and_the_network_stays() -> None:
    network = network_of("compact_resnet")
    state, kept = torch.get_rng_state(), copy.deepcopy(network.state_dict())
    first, again, other = randomised(network, 1), randomised(network, 1), randomised(network, 2)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, kept[name]) for name, value in network.state_dict().items())
    weights = [one.get_parameter("0.weight") for one in (first, again, other, network)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert not torch.equal(weights[0], weights[3])
    assert float(first.get_buffer("2.running_mean").abs().max()) == 0
    assert torch.equal(first.input.mean, network.input.mean)


def attribution_of(values: Any, method: str = "occlusion") -> Attribution:
    return Attribution(np.asarray(values, np.float32), method, "", 0)


def test_rank_correlation_is_that_of_the_ranks() -> None:
    chance = np.random.default_rng(0)
    first, second = chance.normal(size=(6, 7)), chance.normal(size=(6, 7)).round(1)
    expected = np.corrcoef(rankdata(first), rankdata(second))[0, 1]
    assert rank_correlation(attribution_of(first), attribution_of(second)) == pytest.approx(expected)
    assert rank_correlation(attribution_of(first), attribution_of(first)) == pytest.approx(1)
    assert math.isnan(rank_correlation(attribution_of(first), attribution_of(np.zeros((6, 7)))))


def test_regions_share_the_sum() -> None:
    values = np.zeros((7, 7))
    values[0, 0], values[6, 6] = 3, -1
    found = by_region(attribution_of(values), 2)
    assert found.tolist() == [[0.75, 0], [0, -0.25]]
    assert by_region(attribution_of(np.zeros((7, 7))), 3).tolist() == np.zeros((3, 3)).tolist()


def test_hiding_a_region_is_replacing_its_pixels() -> None:
    network = network_of("simple_cnn")
    image = image_of(network)
    found = occlusion_drop(network, image, 5, 2)
    changed = image.float() / 255
    changed[:, :, 14:, :14] = network.input.mean.view(-1, 1, 1)
    with torch.no_grad():
        expected = (network(image).softmax(1) - network(changed).softmax(1))[0, 5]
    assert found[1, 0] == pytest.approx(float(expected), abs=1e-6)


def test_an_overlay_colours_what_counts_and_leaves_the_rest() -> None:
    image = np.full((1, 2, 2), 100, np.uint8)
    drawn = overlay(image, np.array([[0, 1], [-1, np.nan]], np.float32), signed=True, strength=1.0)
    assert drawn[0, 0].tolist() == drawn[1, 1].tolist() == [100, 100, 100]
    assert drawn[0, 1].tolist() == [37, 99, 235]
    assert drawn[1, 0].tolist() == [232, 89, 12]
    assert overlay(image, np.ones((2, 2), np.float32), signed=False, strength=0.0).tolist() == [[[100] * 3] * 2] * 2


def test_the_colour_bar_runs_from_the_least_value_to_the_greatest() -> None:
    signed, rising = (colour_bar(signed, 1.0, 3) for signed in (True, False))
    assert signed.tolist() == [[[232, 89, 12], [128, 128, 128], [37, 99, 235]]]
    assert rising[0, 0].tolist() == [128, 128, 128]
    assert rising[0, 2].tolist() == [253, 224, 71]
