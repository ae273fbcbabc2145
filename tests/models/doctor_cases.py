"""Each error of a network beside the network one step before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnn_core.models.layers import Shape
from cnn_core.models.preset import Layers, layer
from cnn_core.models.tree import Path

CLASSES = 10
HEAD = (layer("flatten"), layer("linear"))
SQUEEZE = [layer("global_pool"), layer("linear", features=8)]


@dataclass(frozen=True)
class Case:
    """`good` works; `bad`, one step further, has this one error at `path`."""

    good: Layers
    bad: Layers
    code: str
    path: Path
    repair: str
    shape: Shape = (6, 8, 8)
    batch: int = 128


def before_head(good: dict[str, Any], bad: dict[str, Any], code: str, repair: str, **more: Any) -> Case:
    """The same kind with other parameters as the first layer."""
    return Case((layer(**good), *HEAD), (layer(**bad), *HEAD), code, (0,), repair, **more)


def conv(**parameters: Any) -> dict[str, Any]:
    return {"kind": "conv", "channels": 8, **parameters}


def branches(*lists: list[Any], merge: str = "add") -> dict[str, Any]:
    return {"kind": "branches", "merge": merge, "branches": list(lists)}


def deep(levels: int) -> dict[str, Any]:
    inside: dict[str, Any] = {"kind": "relu"}
    for _ in range(levels):
        inside = {"kind": "repeat", "times": 1, "layers": [inside]}
    return inside


def many(times: int) -> dict[str, Any]:
    """4 operations each time: three layers and the group."""
    return {"kind": "repeat", "times": times, "layers": [layer("repeat", times=10, layers=[layer("relu")] * 3)]}


CASES = {
    "kernel": before_head(conv(kernel=8, padding=0), conv(kernel=9, padding=0), "kernel_too_large", "Set padding to 4"),
    "dilated kernel": before_head(
        conv(dilation=3, padding=0), conv(dilation=4, padding=0), "kernel_too_large", "Set padding to 4"
    ),
    "kernel with padding": before_head(
        conv(kernel=10, padding=1), conv(kernel=11, padding=1), "kernel_too_large", "Set padding to 5"
    ),
    "mirrored kernel": before_head(
        conv(kernel=8, padding=0, padding_mode="reflect"),
        conv(kernel=17, padding=0, padding_mode="reflect"),
        "kernel_too_large",
        "Set padding to 8 and padding mode to zeros",
    ),
    "huge kernel": before_head(
        conv(kernel=2, dilation=7, padding=0), conv(kernel=31, dilation=7), "kernel_too_large", "Set kernel to 1"
    ),
    "depthwise kernel": before_head(
        {"kind": "depthwise", "kernel": 8, "padding": 0},
        {"kind": "depthwise", "kernel": 9, "padding": 0},
        "kernel_too_large",
        "Set padding to 4",
    ),
    "separable kernel": before_head(
        {"kind": "depthwise_separable", "kernel": 10},
        {"kind": "depthwise_separable", "kernel": 11},
        "kernel_too_large",
        "Set padding to 5",
    ),
    "pool": before_head(
        {"kind": "max_pool", "kernel": 8}, {"kind": "max_pool", "kernel": 9}, "pool_below_one", "Remove it"
    ),
    "average pool": before_head(
        {"kind": "avg_pool", "kernel": 8}, {"kind": "avg_pool", "kernel": 9}, "pool_below_one", "Remove it"
    ),
    "one pool too many": Case(
        (layer("conv"), *[layer("max_pool")] * 3, *HEAD),
        (layer("conv"), *[layer("max_pool")] * 4, *HEAD),
        "pool_below_one",
        (4,),
        "Remove it",
    ),
    "pool padding": before_head(
        {"kind": "max_pool", "kernel": 3, "padding": 1},
        {"kind": "max_pool", "kernel": 3, "padding": 2},
        "pool_padding",
        "Set padding to 1",
    ),
    "reflected": before_head(
        conv(kernel=1, padding=7, padding_mode="reflect"),
        conv(kernel=1, padding=8, padding_mode="reflect"),
        "border_too_wide",
        "Set padding mode to zeros",
    ),
    "circular": before_head(
        conv(kernel=1, padding=8, padding_mode="circular"),
        conv(kernel=1, padding=9, padding_mode="circular"),
        "border_too_wide",
        "Set padding mode to zeros",
    ),
    "groups in": before_head(conv(groups=2), conv(groups=4), "groups_do_not_divide", "Set groups to 2"),
    "groups out": before_head(
        conv(channels=9, groups=3), conv(channels=8, groups=3), "groups_do_not_divide", "Set groups to 2"
    ),
    "norm groups": before_head(
        {"kind": "group_norm", "groups": 3},
        {"kind": "group_norm", "groups": 4},
        "norm_groups_do_not_divide",
        "Set groups to 3",
    ),
    "norm of one": before_head(
        {"kind": "group_norm", "groups": 3},
        {"kind": "group_norm", "groups": 6},
        "norm_of_one_number",
        "Set groups to 1",
        shape=(6, 1, 1),
    ),
    "linear on maps": Case(HEAD, (layer("linear"),), "linear_on_maps", (0,), "Insert a flatten before it"),
    "linear of a number of maps": Case(
        (layer("global_pool"), layer("linear", inputs=6)),
        (layer("linear", inputs=6),),
        "linear_on_maps",
        (0,),
        "Insert a global pooling before it",
    ),
    "convolution after flatten": Case(
        (layer("conv"), layer("relu"), *HEAD),
        (layer("flatten"), layer("relu"), layer("conv"), layer("linear")),
        "maps_layer_on_row",
        (2,),
        "Move the flatten before the linear layer",
    ),
    "pooling after flatten": Case(
        (layer("flatten"), layer("linear", features=CLASSES)),
        (layer("flatten"), layer("global_pool"), layer("linear")),
        "maps_layer_on_row",
        (1,),
        "Remove the flatten before it",
    ),
    "convolution after linear": Case(
        (*HEAD, layer("linear")), (*HEAD, layer("conv"), layer("linear")), "maps_layer_on_row", (2,), "Remove it"
    ),
    "expected inputs": Case(
        (layer("flatten"), layer("linear", inputs=384)),
        (layer("flatten"), layer("linear", inputs=383)),
        "linear_inputs",
        (1,),
        "Let it take the 384 numbers that come in",
    ),
    "other classes": Case(
        (layer("flatten"), layer("linear", features=10)),
        (layer("flatten"), layer("linear", features=7), layer("sigmoid")),
        "head_size",
        (1,),
        "Set features to 0, which is one a class",
    ),
    "no head on maps": Case(
        (layer("conv", channels=10), layer("global_pool")),
        (layer("conv", channels=10),),
        "no_head",
        (0,),
        "Append a flatten and a linear layer",
    ),
    "no head on a row": Case(
        (layer("conv", channels=10), layer("global_pool")),
        (layer("conv", channels=9), layer("global_pool")),
        "no_head",
        (1,),
        "Append a linear layer of one score a class",
    ),
    "no layers": Case(HEAD, (), "no_layers", (), "Start with a convolution, a ReLU, a pooling and a linear layer"),
    "no weights": Case(
        (layer("batch_norm"), layer("global_pool")),
        (layer("relu"), layer("global_pool")),
        "no_weights",
        (),
        "Append a linear layer",
        shape=(10, 8, 8),
    ),
    "parameters": Case(  # 12,100 · 16,384 + 16,384 and 105 · 16,385 and 10 · 106 are 199,984,269
        (layer("flatten"), layer("linear", features=16384), layer("linear", features=105), layer("linear")),
        (layer("flatten"), layer("linear", features=16384), layer("linear", features=107), layer("linear")),
        "too_many_parameters",
        (2,),
        "Set features of layer 2 (linear) to 8192",
        shape=(1, 110, 110),
    ),
    "numbers": Case(
        (layer("conv", channels=1525, kernel=1, padding=0, stride=1), layer("global_pool"), layer("linear")),
        (layer("conv", channels=1526, kernel=1, padding=0, stride=1), layer("global_pool"), layer("linear")),
        "too_many_numbers",
        (0,),
        "Set channels to 1024",
        shape=(1, 256, 256),
    ),
    "added channels": Case(
        (layer(**branches([layer("conv", channels=6)], [])), *HEAD),
        (layer(**branches([layer("conv", channels=7)], [])), *HEAD),
        "branches_do_not_match",
        (0,),
        "Append a 1×1 convolution (7 channels) to branch 2",
    ),
    "added size": Case(
        (layer(**branches([layer("conv", channels=6)], [])), *HEAD),
        (layer(**branches([layer("conv", channels=12, stride=2)], [])), *HEAD),
        "branches_do_not_match",
        (0,),
        "Append a convolution (1×1, 12 channels, stride 2) to branch 2",
    ),
    "concatenated size": Case(
        (layer(**branches([layer("conv", kernel=5, padding=2)], [layer("conv")], merge="concatenate")), *HEAD),
        (layer(**branches([layer("conv", kernel=5, padding=1)], [layer("conv")], merge="concatenate")), *HEAD),
        "branches_do_not_match",
        (0,),
        "Set padding of layer 1.1.1 (convolution) to 2",
    ),
    "concatenated pools": Case(
        (layer(**branches([layer("max_pool")], [layer("conv", stride=2)], merge="concatenate")), *HEAD),
        (layer(**branches([layer("max_pool")], [layer("max_pool")], [], merge="concatenate")), *HEAD),
        "branches_do_not_match",
        (0,),
        "Append a max pooling (2×2) to branch 3",
    ),
    "multiplied row": Case(
        (layer(**branches([layer("global_pool"), layer("linear", features=6)], [], merge="multiply")), *HEAD),
        (layer(**branches([layer("global_pool"), layer("linear", features=5)], [], merge="multiply")), *HEAD),
        "branches_do_not_match",
        (0,),
        "Set features of layer 1.1.2 (linear) to 6",
    ),
    "added row": Case(
        (layer(**branches([layer("global_pool")], [layer("global_pool")])), *HEAD),
        (layer(**branches([layer("global_pool")], [])), *HEAD),
        "branches_do_not_match",
        (0,),
        "Append a global pooling (average) to branch 2",
    ),
    "branches": before_head(
        branches(*[[]] * 12, merge="concatenate"),
        branches(*[[]] * 13, merge="concatenate"),
        "number_of_branches",
        "Keep the first 12",
    ),
    "no branches": before_head(branches([]), branches(), "number_of_branches", "Remove it"),
    "repetitions": Case(
        (layer("repeat", times=3, layers=[conv(padding=0)]), *HEAD),
        (layer("repeat", times=4, layers=[conv(padding=0)]), *HEAD),
        "kernel_too_large",
        (0, 0, 0),
        "Repeat it 3 times",
    ),
    "depth": Case((layer(**deep(5)), *HEAD), (layer(**deep(6)), *HEAD), "nested_too_deep", (0, 0) * 5 + (0,), ""),
    "operations": Case((layer(**many(24)), *HEAD), (layer(**many(25)), *HEAD), "too_many_operations", (0,), ""),
    "batch of one": Case(
        (layer("flatten"), layer("layer_norm"), layer("linear")),
        (layer("flatten"), layer("batch_norm"), layer("linear")),
        "batch_of_one",
        (1,),
        "Make it a layer norm",
        batch=1,
    ),
    "block at a batch of one": Case(
        (layer("residual", stride=4), *HEAD),
        (layer("residual", stride=8), *HEAD),
        "batch_of_one",
        (0,),
        "Remove it",
        batch=1,
    ),
    "unknown kind": Case(
        (layer("conv", channels=3), *HEAD),
        (layer("conv2d", channels=3, filters=1), *HEAD),
        "unknown_kind",
        (0,),
        "Make it a conv",
    ),
    "unknown word": Case((layer("relu"), *HEAD), (layer("???"), *HEAD), "unknown_kind", (0,), "Remove it"),
    "unknown parameter": before_head(conv(), conv(filters=3), "unreadable_parameter", "Remove filters"),
    "parameter at its limit": before_head(
        conv(kernel=31, padding=15), conv(kernel=32, padding=15), "unreadable_parameter", "Set kernel to 31"
    ),
    "parameter at its least": before_head(conv(stride=1), conv(stride=0), "unreadable_parameter", "Set stride to 1"),
    "parameter of words": before_head(conv(), conv(channels="many"), "unreadable_parameter", "Set channels to 16"),
}
