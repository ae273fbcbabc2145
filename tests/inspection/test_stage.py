"""What the stage draws: outputs against forward hooks, contributions against brute force, frames, packing."""

import copy
import json
import struct
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnn_core.inspection.stage.choice import MAPS, UNITS, choose
from cnn_core.inspection.stage.contributions import by_map, of_convolution, of_linear
from cnn_core.inspection.stage.flow import flow
from cnn_core.inspection.stage.frame import choice_of, every_map, frame, look
from cnn_core.inspection.stage.graph import ADD, SOFTMAX, graph
from cnn_core.inspection.stage.packing import pack
from cnn_core.models.blocks import ResidualBlock
from cnn_core.models.network import INPUT, Network, build
from cnn_core.models.preset import layer
from cnn_core.models.presets import network_presets

EVERY_KIND = (
    layer("conv", channels=5, kernel=3, stride=2, padding=0),
    layer("batch_norm"),
    layer("leaky_relu"),
    layer("avg_pool", kernel=3, stride=2, padding=1),
    layer("residual"),
    layer("residual", channels=7, stride=2),
    layer("gelu"),
    layer("conv", channels=1, kernel=1, padding=0),
    layer("sigmoid"),
    layer("max_pool", kernel=2),
    layer("dropout"),
    layer("flatten"),
    layer("batch_norm"),
    layer("linear", features=130, scale=0.5),
    layer("tanh"),
    layer("linear"),
)

KINDS_OF_FAMILIES = (
    layer("conv", channels=6, dilation=2, padding=2, padding_mode="reflect"),
    layer("group_norm", groups=3),
    layer("silu"),
    layer(
        "branches",
        branches=(
            (layer("pointwise", channels=4), layer("elu")),
            (layer("pointwise", channels=3), layer("conv", channels=5, groups=1), layer("hardswish")),
            (layer("max_pool", kernel=3, stride=1, padding=1), layer("depthwise", kernel=5, padding=2)),
            (),
        ),
    ),
    layer("depthwise_separable", channels=8, stride=2),
    layer("repeat", times=2, layers=(layer("conv", channels=8, groups=4), layer("layer_norm"), layer("dropout2d"))),
    layer("branches", merge="add", branches=((layer("conv", channels=8), layer("batch_norm")), (), (layer("tanh"),))),
    layer(
        "branches",
        merge="multiply",
        branches=((), (layer("global_pool"), layer("linear", features=8), layer("softmax"))),
    ),
    layer("adaptive_avg_pool", size=3),
    layer("flatten"),
    layer("layer_norm"),
    layer("linear"),
)


def network_of(name: str, channels: int = 1, side: int = 28, classes: int = 10) -> Network:
    own = {"every kind": EVERY_KIND, "kinds of families": KINDS_OF_FAMILIES}
    layers = own[name] if name in own else network_presets.get(name).layers
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = build(layers, (channels, side, side), classes, [0.4] * channels, [0.3] * channels)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.running_mean.uniform_(-0.5, 0.5)
                module.running_var.uniform_(0.5, 2)
    return network.eval()


def image_of(network: Network, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (1, *network.input_shape), dtype=torch.uint8, generator=generator)


WITH_OTHERS = (nn.Sequential, ResidualBlock)  # which only run the modules inside them


def hooked(network: Network, image: Tensor) -> dict[str, Tensor]:
    """The output of every module of an independent copy, and what goes into the last ReLU of a block."""
    found: dict[str, Tensor] = {}
    copied = copy.deepcopy(network).eval()
    for name, module in copied.named_modules():

        def note(_module: nn.Module, inputs: Any, output: Tensor, name: str = name) -> None:
            found[name] = output[0]
            if name.endswith("relu2"):
                found[name.replace("relu2", ADD)] = inputs[0][0]

        module.register_forward_hook(note)
    with torch.no_grad():
        found[SOFTMAX] = copied(image).softmax(1)[0]
    return found


NETWORKS = [
    *((name, 1, 28, 10) for name in network_presets.names()),
    *(("every kind", channels, side, classes) for channels, side, classes in ((3, 40, 2), (1, 33, 1000))),
    *(("kinds of families", channels, side, classes) for channels, side, classes in ((3, 24, 2), (1, 33, 1000))),
    ("mlp", 3, 8, 2),
    ("simple_cnn", 3, 8, 1),
]


@pytest.mark.parametrize("of", NETWORKS, ids=str)
def test_outputs_are_those_of_forward_hooks_on_a_copy(of: Any) -> None:
    network = network_of(*of)
    image = image_of(network)
    nodes = graph(network)
    values, expected = flow(network, image, nodes), hooked(network, image)
    assert [node.address for node in nodes][-1] == SOFTMAX
    modules = {name for name, module in network.named_modules() if name and not isinstance(module, WITH_OTHERS)}
    sums = {f"{name}.{ADD}" for name, module in network.named_modules() if isinstance(module, ResidualBlock)}
    assert set(values) == modules | sums | {SOFTMAX}
    for node in nodes:
        assert values[node.address].shape == node.shape
        assert torch.equal(values[node.address], expected[node.address])
    assert torch.equal(values[INPUT], expected[INPUT])


@pytest.mark.parametrize("of", NETWORKS, ids=str)
def test_a_frame_shows_each_output_and_stays_small(of: Any) -> None:
    network = network_of(*of)
    seen = look(network, image_of(network))
    choice = choice_of(seen, label=0)
    shown = frame(seen, choice)
    for about in shown["nodes"]:
        values = seen.values[about["address"]][about["shown"].astype(int)]
        if "maps" in about:
            step = (about["high"] - about["low"]) / 255
            drawn = about["low"][:, None, None] + about["maps"] * step[:, None, None]
            assert np.abs(drawn - values.numpy()).max() <= step.max() / 2 + 1e-5
            assert (about["dead"] == (values.abs().amax((1, 2)) == 0).numpy()).all()
        elif values.ndim == 3:
            assert about["block"] is not None, "only inside blocks are tiles left out"
        else:
            assert (about["values"] == values.numpy()).all()
        for link in about["links"]:
            assert link["from"] == INPUT or link["from"] in choice
            if "edges" in link:
                inputs = 1 if link["from"] == INPUT else len(choice[link["from"]])
                assert link["edges"].shape == (len(choice[about["address"]]), inputs)
    assert len(pack(shown)) < 150 * 1024


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "inputs", "outputs", "side"),
    [
        (3, 1, 1, 4, 5, 12),
        (5, 2, 2, 3, 2, 17),
        (1, 1, 0, 6, 3, 9),
        (3, 2, 0, 1, 1, 8),
        (7, 1, 3, 2, 4, 7),
        (2, 2, 0, 3, 3, 2),
    ],
)
def test_contributions_are_those_of_each_input_alone(
    kernel: int, stride: int, padding: int, inputs: int, outputs: int, side: int
) -> None:
    generator = torch.Generator().manual_seed(1)
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding)
    drawn = torch.randn(convolution.weight.shape, generator=generator) / kernel
    convolution.weight.data.copy_(drawn)
    maps = torch.randn(inputs, side, side, generator=generator)
    expected = torch.zeros(outputs, inputs)
    for output in range(outputs):
        for given in range(inputs):
            part = F.conv2d(
                maps[None, given : given + 1],
                convolution.weight[output : output + 1, given : given + 1].detach(),
                stride=stride,
                padding=padding,
            )
            expected[output, given] = part.square().mean().sqrt() * part.mean().sign()
    torch.testing.assert_close(of_convolution(convolution, maps), expected, rtol=1e-4, atol=1e-5)
    whole = F.conv2d(maps[None], convolution.weight.detach(), stride=stride, padding=padding)[0]
    together = whole.square().mean((1, 2)).sqrt() * whole.mean((1, 2)).sign()
    torch.testing.assert_close(of_convolution(convolution, maps, together=True)[:, 0], together, rtol=1e-4, atol=1e-5)


def test_contributions_of_large_maps_are_sampled_and_near() -> None:
    convolution = nn.Conv2d(2, 3, 3, padding=1)
    weights = torch.rand(convolution.weight.shape, generator=torch.Generator().manual_seed(0)) + 0.1
    convolution.weight.data.copy_(weights)
    rows = torch.linspace(0, 1, 96)
    maps = torch.stack([rows[:, None] * rows, (rows[:, None] - rows).abs()])
    weight = convolution.weight.detach()
    parts = F.conv2d(maps[None], weight.transpose(0, 1).reshape(6, 1, 3, 3), padding=1, groups=2)[0]
    exact = parts.square().mean((1, 2)).sqrt().reshape(2, 3).T
    torch.testing.assert_close(of_convolution(convolution, maps).abs(), exact, rtol=0.15, atol=1e-3)


def test_contributions_of_a_linear_layer_sum_to_its_output() -> None:
    network = network_of("every kind", 3, 40, 2)
    seen = look(network, image_of(network))
    linear = network.get_submodule("13")
    row = seen.values["12"]
    found = of_linear(linear, row)  # type: ignore[arg-type]
    expected = seen.values["13"] - linear.bias.detach() * 0.5  # type: ignore[union-attr]
    torch.testing.assert_close(found.sum(1), expected, rtol=1e-4, atol=1e-5)
    assert torch.equal(by_map(found, 1)[:, 0], found.sum(1))


def test_operations_that_share_channels_show_the_same_maps() -> None:
    network = network_of("compact_resnet")
    choice = choice_of(look(network, image_of(network)))
    nodes = {node.address: node for node in graph(network)}
    assert all(len(choice[address]) == MAPS for address in ("0", "1", "2", "3"))
    assert choice["0"] == choice["1"] == choice["3"]
    residual = [address for address in nodes if nodes[address].block == 8]
    assert choice["7"] == choice["8.conv2"] == choice["8.add"] == choice["8.relu2"], residual
    assert choice["9.conv2"] == choice["9.skip_conv"] == choice["9.add"] != choice["7"]


def test_the_maps_that_add_most_to_the_next_layer_are_chosen() -> None:
    network = network_of("simple_cnn")
    seen = look(network, image_of(network))
    moved = seen.strengths["3"].abs().sum(0)
    assert set(choice_of(seen)["0"]) == set(torch.topk(moved, MAPS).indices.tolist())


def test_the_most_probable_classes_and_the_true_one_are_shown() -> None:
    network = network_of("every kind", 1, 33, 1000)
    seen = look(network, image_of(network))
    scores = seen.values["15"]
    least = int(scores.argmin())
    shown = choice_of(seen, label=least)["15"]
    assert least in shown
    assert len(shown) == 10
    assert set(torch.topk(scores, 9).indices.tolist()) <= set(shown)
    assert choose(seen.nodes, seen.strengths, scores)[SOFTMAX] == sorted(torch.topk(scores, 10).indices.tolist())


def test_a_network_of_nan_is_drawn_all_the_same() -> None:
    network = network_of("simple_cnn")
    with torch.no_grad():
        network[0].weight.fill_(float("nan"))  # type: ignore[operator, union-attr]
    seen = look(network, image_of(network))
    assert pack(frame(seen, choice_of(seen)))


def test_all_maps_of_a_layer_stay_small() -> None:
    network = build((layer("conv", channels=2048), layer("global_pool"), layer("linear")), (1, 64, 64), 3).eval()
    seen = look(network, image_of(network))
    assert every_map(seen, "0")["maps"].shape[0] == 2048
    assert len(pack(every_map(seen, "0"))) < 150 * 1024
    assert (every_map(seen, "1")["values"] == seen.values["1"].numpy()).all()
    assert len(choice_of(seen)["1"]) == UNITS


def test_packed_arrays_stand_where_the_header_says() -> None:
    content = {
        "a": [np.arange(3, dtype=np.uint8), {"b": np.array([[1.5, -2]], np.float32)}],
        "c": float("nan"),
        "d": "é",
    }
    packed = pack(content)
    length, zero = struct.unpack_from("<II", packed)
    header, start = json.loads(packed[8 : 8 + length]), 8 + length
    assert (zero, header["c"], header["d"]) == (0, None, "é")
    offset, shape, dtype = header["a"][1]["b"]["@"]
    assert (start + offset) % 8 == 0
    assert np.frombuffer(packed, dtype, 2, start + offset).reshape(shape).tolist() == [[1.5, -2.0]]
    with pytest.raises(TypeError, match="float64"):
        pack({"a": np.zeros(1)})


def test_many_viewers_share_a_network_and_leave_nothing_behind() -> None:
    network = network_of("compact_resnet")
    images = [image_of(network, seed) for seed in range(8)]
    alone = [pack(frame(seen, choice_of(seen))) for seen in (look(network, image) for image in images)]

    def work(number: int) -> bytes:
        seen = look(network, images[number % 8])
        return pack(frame(seen, choice_of(seen)))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(40))) == [alone[number % 8] for number in range(40)]
    assert not any(module._forward_hooks for module in network.modules())
