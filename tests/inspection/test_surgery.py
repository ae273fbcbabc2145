"""Edits of filters, each against the same thing done by hand."""

import copy
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, recall_score
from torch import nn
from torch.nn import functional as F

from cnn_core.errors import PlaygroundError
from cnn_core.inspection.kernels import standard_kernel
from cnn_core.inspection.recall import compare, recall
from cnn_core.inspection.silence import units
from cnn_core.inspection.surgery import Edit, operate, replaced
from tests.inspection.operable import CASES, PLACES, images_for, network_of, silenced_by_hand

EDITS = (
    Edit("9.conv1", "zero", 3),
    Edit("0", "kernel", 1, "sobel_x"),
    Edit("9.skip_conv", "shuffle", seed=2),
    Edit("11", "kernel", 0, "random", seed=4),
)


def weights(network: nn.Module, address: str) -> np.ndarray:
    return network.get_submodule(address).weight.detach().numpy()


@pytest.mark.parametrize(("name", "address"), CASES)
def test_silenced_as_by_hand(name: str, address: str) -> None:
    network = network_of(name)
    images = images_for(network, 4)
    for unit in (0, units(network, address) - 1):
        expected = silenced_by_hand(network, images, address, unit, PLACES[name][address])
        with torch.no_grad():
            found = operate(network, [Edit(address, "zero", unit)])(images).numpy()
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("name", PLACES)
def test_the_cases_are_all_layers_with_weights(name: str) -> None:
    found = [key for key, module in network_of(name).named_modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    assert found == list(PLACES[name])


@pytest.mark.parametrize("kernel", ["sobel_x", "sobel_y", "blur", "identity"])
@pytest.mark.parametrize("channel", [None, 2])
def test_a_kernel_is_replaced_at_the_old_norm(kernel: str, channel: int | None) -> None:
    network = network_of("simple_cnn")
    operated = operate(network, [Edit("3", "kernel", 5, kernel, channel)])
    old, new = weights(network, "3"), weights(operated, "3")
    expected = old.copy()
    for place in range(16) if channel is None else [channel]:
        pattern = standard_kernel(kernel, 3)
        expected[5, place] = pattern / np.linalg.norm(pattern) * np.linalg.norm(old[5, place])
    np.testing.assert_allclose(new, expected, rtol=1e-5, atol=1e-7)
    assert torch.equal(operated.get_submodule("3").bias, network.get_submodule("3").bias)


def test_random_kernels_differ_and_keep_their_norms() -> None:
    network = network_of("simple_cnn")
    edit = Edit("3", "kernel", 5, "random", seed=7)
    new = weights(operate(network, [edit]), "3")[5]
    np.testing.assert_allclose(
        np.linalg.norm(new, axis=(1, 2)), np.linalg.norm(weights(network, "3")[5], axis=(1, 2)), rtol=1e-5
    )
    assert len(np.unique(new)) == new.size
    one = Edit("3", "kernel", 5, "random", channel=4, seed=7)
    assert np.array_equal(weights(operate(network, [one]), "3")[5, 4], new[4])
    assert np.array_equal(replaced(network, one), new)


def test_a_painted_kernel_computes_what_was_painted() -> None:
    network = network_of("simple_cnn")
    painted = ((0.0, 1.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, 0.0))
    operated = operate(network, [Edit("0", "kernel", 2, "painted", painted=painted)])
    module = operated.get_submodule("0")
    images = torch.randn(2, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    scale = np.linalg.norm(weights(network, "0")[2, 0]) / np.sqrt(2)
    expected = F.conv2d(images, torch.tensor(painted)[None, None] * scale, padding=1)[:, 0] + module.bias[2]
    torch.testing.assert_close(module(images)[:, 2], expected)


def test_kernels_of_one_pixel_and_of_five() -> None:
    resnet, lenet = network_of("compact_resnet"), network_of("lenet5")
    identity = weights(operate(resnet, [Edit("9.skip_conv", "kernel", 0, "identity")]), "9.skip_conv")[0]
    np.testing.assert_allclose(identity, np.abs(weights(resnet, "9.skip_conv")[0]), rtol=1e-5)
    with pytest.raises(PlaygroundError, match="single pixel"):
        operate(resnet, [Edit("9.skip_conv", "kernel", 0, "sobel_x")])
    painted = Edit("0", "kernel", 0, "painted", painted=((1.0, 1.0, 1.0),) * 3)
    five = weights(operate(lenet, [painted]), "0")[0, 0]
    assert np.count_nonzero(five) == 9
    assert five[1:4, 1:4].all()
    nothing = Edit("0", "kernel", 0, "painted", painted=((0.0,) * 5,) * 5)
    assert not weights(operate(lenet, [nothing]), "0")[0].any()


@pytest.mark.parametrize(("name", "address"), [("simple_cnn", "3"), ("mlp", "1"), ("compact_resnet", "8.conv2")])
def test_shuffled_maps_are_the_old_ones_in_other_places(name: str, address: str) -> None:
    network = network_of(name)
    operated = operate(network, [Edit(address, "shuffle", seed=1)])
    old, new = network.get_submodule(address), operated.get_submodule(address)
    values = torch.randn(8, *old.weight.shape[1:2], *(5, 5)[: old.weight.ndim - 2])
    before, after = (module(values).transpose(0, 1).flatten(1) for module in (old, new))
    same = torch.isclose(after[:, None], before[None], atol=1e-6).all(2)  # (new, old)
    assert (same.sum(0) == 1).all()
    assert (same.sum(1) == 1).all()
    assert not same.diagonal().any()


def test_one_map_has_no_other_place() -> None:
    network = network_of("simple_cnn")
    single = nn.Conv2d(1, 1, 3)
    network._modules["0"] = single
    assert torch.equal(operate(network, [Edit("0", "shuffle")]).get_submodule("0").weight, single.weight)


def test_edits_of_one_kernel_do_not_add_up_and_silence_wins() -> None:
    network = network_of("simple_cnn")
    blur, sobel = (Edit("0", "kernel", 1, kernel) for kernel in ("blur", "sobel_x"))
    assert np.array_equal(weights(operate(network, [blur, sobel]), "0"), weights(operate(network, [sobel]), "0"))
    quiet = operate(network, [Edit("0", "zero", 1), blur, Edit("0", "shuffle")]).get_submodule("0")
    assert not quiet.weight[1].any()
    assert not quiet.bias[1].any()


@pytest.mark.parametrize("training", [False, True])
def test_the_original_is_the_same_bit_for_bit(training: bool) -> None:
    network = network_of("compact_resnet").train(training)
    state = copy.deepcopy(network.state_dict())
    random = torch.get_rng_state()
    operated = operate(network, EDITS)
    with torch.no_grad():
        for parameter in operated.parameters():
            parameter.fill_(1)
    assert all(torch.equal(state[name], value) for name, value in network.state_dict().items())
    assert torch.equal(random, torch.get_rng_state())
    assert network.training == operated.training == training
    assert not any(module._forward_hooks for module in network.modules())


def test_without_edits_it_answers_as_before() -> None:
    network = network_of("compact_resnet")
    assert torch.equal(operate(network, [])(images_for(network, 3)), network(images_for(network, 3)))


def test_threads_do_not_meet() -> None:
    network = network_of("compact_resnet")
    images = images_for(network, 4)

    def answer(edits: tuple[Edit, ...]) -> torch.Tensor:
        with torch.no_grad():
            return operate(network, edits)(images)

    asked = [EDITS[:1], EDITS[1:], (), EDITS] * 6
    expected = [answer(edits) for edits in asked]
    with ThreadPoolExecutor(8) as pool:
        assert all(map(torch.equal, pool.map(answer, asked), expected))


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (Edit("1", "zero"), "no convolution and no linear layer at 1"),
        (Edit("99", "shuffle"), "at 99"),
        (Edit("", "zero"), "no convolution"),
        (Edit("9", "zero"), "at 9"),
        (Edit("0", "zero", 16), "0 to 15"),
        (Edit("0", "zero", -1), "names -1"),
        (Edit("0", "kernel", 0, "blur", channel=1), "inputs 0 to 0"),
        (Edit("0", "kernel", 0, "gabor"), "no kernel called gabor"),
        (Edit("0", "kernel", 0, "painted"), "rectangle"),
        (Edit("0", "kernel", 0, "painted", painted=((1.0,), (1.0, 2.0))), "rectangle"),
        (Edit("0", "kernel", 0, "painted", painted=((float("nan"),),)), "finite"),
        (Edit("11", "kernel", 0, "blur"), "linear layer"),
        (Edit("11", "kernel", 0, "random", channel=0), "linear layer"),
    ],
)
def test_what_does_not_fit_gives_a_sentence(edit: Edit, sentence: str) -> None:
    with pytest.raises(PlaygroundError, match=sentence):
        operate(network_of("compact_resnet"), [edit])


@pytest.mark.parametrize(("images", "classes", "used"), [(200, 5, 5), (50, 6, 4), (1, 3, 1), (7, 1, 1)])
def test_recall_is_scikit_learns(images: int, classes: int, used: int) -> None:
    random = np.random.default_rng(images)
    labels = random.integers(0, used, images)
    before, after = random.random((images, classes)), random.random((images, classes))
    found = compare(before, after, labels)
    for predicted, accuracy, recalls in (
        (before.argmax(1), found.accuracy_before, found.recall_before),
        (after.argmax(1), found.accuracy_after, found.recall_after),
    ):
        expected = recall_score(labels, predicted, labels=range(classes), average=None, zero_division=np.nan)
        present = np.isin(np.arange(classes), labels)
        np.testing.assert_allclose(recalls[present], expected[present])
        assert np.isnan(recalls[~present]).all()
        np.testing.assert_array_equal(recall(labels, predicted, classes), recalls)
        assert accuracy == accuracy_score(labels, predicted)
    np.testing.assert_allclose(found.recall_change, found.recall_after - found.recall_before)
    assert found.accuracy_change == found.accuracy_after - found.accuracy_before
    assert found.images.tolist() == np.bincount(labels, minlength=classes).tolist()


def test_nothing_to_compare() -> None:
    with pytest.raises(ValueError, match="no images"):
        compare(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0, np.int64))
