"""The arithmetic of one map or unit, redone with torch's functions from nothing but what is sent."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from cnn_core.inspection.stage.arithmetic import CLASSES, MOST, arithmetic
from cnn_core.inspection.stage.frame import look
from cnn_core.inspection.stage.packing import pack
from cnn_core.models.network import INPUT, Network, build
from cnn_core.models.preset import layer
from cnn_core.models.presets import network_presets
from tests.inspection.test_stage import hooked, image_of, network_of

DENSE_FIRST = (layer("flatten"), layer("linear", features=9), layer("batch_norm"), layer("gelu"), layer("linear"))
ACTIVATIONS = {
    "relu": F.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "gelu": F.gelu,
    "dropout": lambda values: values,
    "dropout2d": lambda values: values,
    "silu": F.silu,
    "hardswish": F.hardswish,
    "elu": F.elu,
    "concatenate": lambda values: values,
}


def of(*layers: Any, channels: int = 1, side: int = 12, classes: int = 3) -> Network:
    with torch.random.fork_rng():
        torch.manual_seed(11)
        return build(layers, (channels, side, side), classes, [0.45] * channels, [0.2] * channels).eval()


def redone(close: dict[str, Any]) -> Any:
    """The output from what is sent, by functions of torch."""
    x = torch.as_tensor(close["x"])
    kind = close["kind"]
    if kind in ACTIVATIONS:
        return ACTIVATIONS[kind](x)
    if kind == "leaky_relu":
        return F.leaky_relu(x, close["slope"])
    if kind in ("batch_norm", "group_norm", "layer_norm"):
        numbers = [torch.tensor([close[name]]) for name in ("mean", "var", "weight", "bias")]
        return F.batch_norm(x.reshape(1, 1, -1), *numbers, eps=close["eps"]).reshape(x.shape)
    return {
        "conv": _convolution,
        "max_pool": lambda close, x: F.max_pool2d(x[None], close["kernel"], close["stride"], close["padding"])[0],
        "avg_pool": lambda close, x: F.avg_pool2d(x[None], close["kernel"], close["stride"], close["padding"])[0],
        "adaptive_avg_pool": _adaptive,
        "multiply": lambda close, x: x * torch.as_tensor(close["skip"]),
        "softmax_layer": lambda close, x: torch.as_tensor(close["out"]),  # of all channels: shown as it is
        "add": lambda close, x: x + torch.as_tensor(close["skip"]),
        "global_pool": lambda close, x: x.max() if close["mode"] == "max" else x.mean(),
        "flatten": lambda close, x: x[close["row"], close["column"]],
        "linear": lambda close, x: (torch.as_tensor(close["w"]) @ x + close["rest"] + close["bias"]) * close["scale"],
        "softmax": _softmax,
        INPUT: lambda close, x: (x.float() / 255 - close["mean"]) / close["std"],
    }[kind](close, x)


def _convolution(close: dict[str, Any], x: Tensor) -> Tensor:
    weight, bias = torch.as_tensor(close["w"])[None], torch.tensor([close["bias"]])
    made = F.conv2d(x[None], weight, bias, close["stride"], close["padding"], close["dilation"])[0, 0]
    return made + torch.as_tensor(close["rest"])


def _adaptive(close: dict[str, Any], x: Tensor) -> Tensor:
    return F.avg_pool2d(x[None], close["kernel"])[0] if "kernel" in close else torch.as_tensor(close["out"])


def _softmax(close: dict[str, Any], x: Tensor) -> Tensor:
    powers = (x - close["largest"]).exp()
    return powers[close["inputs"].tolist().index(close["unit"])] / (powers.sum() + close["rest"])


NETWORKS = {
    **{name: lambda name=name: network_of(name) for name in network_presets.names()},
    "every kind": lambda: network_of("every kind", 3, 40, 5),
    "kinds of families": lambda: network_of("kinds of families", 3, 24, 5),
    "kinds of families, windows of two sizes": lambda: network_of("kinds of families", 1, 33, 1000),
    "every kind, a thousand classes": lambda: network_of("every kind", 1, 33, 1000),
    "dense, 8 px, one class": lambda: of(*DENSE_FIRST, channels=3, side=8, classes=1),
    "stride 2 without padding": lambda: of(
        layer("conv", channels=2, stride=2, padding=0), layer("flatten"), layer("linear")
    ),
    "padding 2": lambda: of(layer("conv", channels=2, kernel=3, padding=2), layer("global_pool"), layer("linear")),
    "one by one": lambda: of(layer("conv", channels=1, kernel=1, padding=0), layer("flatten"), layer("linear")),
    "padded pools": lambda: of(
        layer("conv", channels=30),
        layer("max_pool", kernel=3, stride=2, padding=1),
        layer("avg_pool", kernel=3, stride=1, padding=1),
        layer("conv", channels=2),
        layer("flatten"),
        layer("linear"),
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_sent_makes_the_output_of_an_independent_copy(name: str) -> None:
    network = NETWORKS[name]()
    image = image_of(network, seed=4)
    seen, expected = look(network, image), hooked(network, image)
    for address in [INPUT, *(node.address for node in seen.nodes)]:
        for unit in sorted({0, len(expected[address]) // 2, len(expected[address]) - 1}):
            close = arithmetic(seen, address, unit)
            torch.testing.assert_close(torch.as_tensor(close["out"]), expected[address][unit].float())
            found = torch.as_tensor(redone(close))
            torch.testing.assert_close(found, expected[address][unit], rtol=1e-5, atol=1e-5, msg=f"{address} {unit}")
            for after in close["following"]:
                torch.testing.assert_close(torch.as_tensor(after["out"]), expected[after["address"]][unit])


@pytest.mark.parametrize("name", network_presets.names())
def test_what_is_sent_is_small(name: str) -> None:
    network = network_of(name, 3, 32)
    seen = look(network, image_of(network))
    sizes = [len(pack(arithmetic(seen, address, 0))) for address in [INPUT, *(node.address for node in seen.nodes)]]
    assert max(sizes) <= 90_000  # sixteen input maps of 32×32 are 66 kB of it


def test_the_inputs_that_add_most_come_first_and_the_others_are_summed() -> None:
    network = NETWORKS["padded pools"]()
    seen = look(network, image_of(network))
    close, convolution = arithmetic(seen, "3", 1), network.get_submodule("3")
    maps, weight = seen.values["2"], convolution.get_parameter("weight").detach()[1]
    parts = torch.stack([F.conv2d(maps[None, i : i + 1], weight[None, i : i + 1], padding=1)[0, 0] for i in range(30)])
    order = parts.square().mean((1, 2)).argsort(descending=True)
    assert close["inputs"].tolist() == order[:MOST].tolist()
    assert close["others"] == 30 - MOST
    torch.testing.assert_close(torch.as_tensor(close["rest"]), parts[order[MOST:]].sum(0), rtol=1e-5, atol=1e-6)


def test_one_large_map_at_least_is_sent() -> None:
    network = of(layer("conv", channels=2), layer("global_pool"), layer("linear"), channels=3, side=256)
    seen = look(network, image_of(network))
    close = arithmetic(seen, "0", 1)
    assert (len(close["inputs"]), close["others"]) == (1, 2)
    torch.testing.assert_close(redone(close), seen.values["0"][1], rtol=1e-5, atol=1e-5)


def test_a_padded_maximum_of_negative_values_is_negative() -> None:
    network = NETWORKS["padded pools"]()
    with torch.no_grad():
        network.get_parameter("0.bias").fill_(-40)
    close = arithmetic(look(network, image_of(network)), "1", 29)
    assert close["out"].max() < 0
    torch.testing.assert_close(redone(close), torch.as_tensor(close["out"]))


def test_products_behind_a_flatten_are_maps_of_the_layer_before_it() -> None:
    network = network_of("simple_cnn")
    seen = look(network, image_of(network))
    close = arithmetic(seen, "10", 7)
    maps = seen.values["8"]
    products = network.get_parameter("10.weight").detach()[7].reshape(maps.shape) * maps
    assert (close["maps_from"], close["channels"], close["from"]) == ("8", 64, "9")
    assert close["maps"].tolist() == products.abs().sum((1, 2)).argsort(descending=True, stable=True)[:MOST].tolist()
    torch.testing.assert_close(torch.as_tensor(close["products"]), products[close["maps"].tolist()])


def test_a_class_that_is_improbable_is_among_those_shown() -> None:
    network = network_of("every kind", 1, 33, 1000)
    seen = look(network, image_of(network))
    close = arithmetic(seen, "softmax", least := int(seen.values["softmax"].argmin()))
    assert least in close["inputs"]
    assert (len(close["inputs"]), close["others"]) == (CLASSES, 1000 - CLASSES)


def test_pixels_are_those_of_the_image() -> None:
    network = network_of("simple_cnn", 3)
    image = image_of(network)
    close = arithmetic(look(network, image), INPUT, 2)
    assert close["x"].dtype == np.uint8
    assert (close["x"] == image[0, 2].numpy()).all()
    fractions = image.float() / 255 * 0.9  # no image of whole pixels
    found = arithmetic(look(network, fractions), INPUT, 2)["x"]
    np.testing.assert_allclose(found, fractions[0, 2].numpy() * 255, atol=1e-3)


def test_where_each_operation_takes_its_input_from() -> None:
    network = network_of("compact_resnet")
    seen = look(network, image_of(network))
    added = arithmetic(seen, "9.add", 3)
    assert (added["from"], added["skip_from"]) == ("9.norm2", "9.skip_norm")
    assert arithmetic(seen, "0", 0)["from"] == INPUT
    assert [after["address"] for after in arithmetic(seen, "9.conv1", 0)["following"]] == ["9.norm1", "9.relu1"]


def test_many_viewers_ask_for_different_maps_at_once() -> None:
    network = network_of("compact_resnet")
    images = [image_of(network, seed) for seed in range(6)]

    def work(number: int) -> bytes:
        return pack(arithmetic(look(network, images[number]), "9.conv1", number))

    alone = [work(number) for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(work, list(range(6)) * 3)) == alone * 3
    assert not any(module._forward_hooks for module in network.modules())
