"""Advice: where each begins, that what it says is true, and that its repairs take it away."""

from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from cnn_core.models.doctor import Finding, examine, repair_all
from cnn_core.models.layers import Shape
from cnn_core.models.preset import Layers, layer
from cnn_core.models.presets import network_presets
from cnn_core.models.tree import Path
from tests.models import layer_lists
from tests.models.layer_lists import refused

CLASSES = 10
HEAD = (layer("flatten"), layer("linear"))
CONV, RELU, NORM, DROPOUT = layer("conv"), layer("relu"), layer("batch_norm"), layer("dropout")
PLAIN = layer("conv", bias=False)
STRIDED = (layer("conv", channels=64, stride=4), RELU, layer("flatten"))
SIGMOIDS = (layer("linear", features=20), layer("sigmoid"))


def branches(*lists: Layers, merge: str = "add") -> Layers:
    return (layer("branches", merge=merge, branches=list(lists)),)


def wide(features: int) -> Layers:
    return layer("linear", features=features), RELU, layer("linear")


@dataclass(frozen=True)
class Case:
    """`good` gets no advice of this code, `bad` gets it at `paths`."""

    good: Layers
    bad: Layers
    code: str
    paths: tuple[Path, ...]
    shape: Shape = (3, 32, 32)


CASES = {
    "sigmoid": Case(HEAD, (*HEAD, layer("sigmoid")), "sigmoid_before_loss", ((2,),)),
    "softmax": Case(HEAD, (*HEAD, layer("softmax")), "softmax_before_loss", ((2,),)),
    "relu": Case((CONV, RELU, *HEAD), (CONV, RELU, *HEAD, RELU), "activation_on_scores", ((4,),)),
    "tanh": Case(HEAD, (*HEAD, layer("tanh")), "activation_on_scores", ((2,),)),
    "slope": Case(
        (*HEAD, layer("leaky_relu", slope=1.0)),
        (*HEAD, layer("leaky_relu", slope=0.99)),
        "activation_on_scores",
        ((2,),),
    ),
    "two at the end": Case(HEAD, (*HEAD, RELU, layer("gelu")), "activation_on_scores", ((2,), (3,))),
    "two convolutions": Case((CONV, RELU, CONV, RELU, *HEAD), (CONV, CONV, RELU, *HEAD), "no_activation", ((1,),)),
    "convolution and linear": Case(
        (CONV, layer("max_pool"), *HEAD), (CONV, layer("avg_pool"), DROPOUT, *HEAD), "no_activation", ((4,),)
    ),
    "norms": Case(
        (PLAIN, NORM, RELU, *HEAD),
        (PLAIN, NORM, layer("layer_norm"), layer("group_norm"), *HEAD),
        "no_activation",
        ((5,),),
    ),
    "two linear": Case(
        (layer("flatten"), layer("linear", features=9), RELU, layer("linear")),
        (layer("flatten"), layer("linear", features=9), layer("leaky_relu", slope=1), layer("linear")),
        "no_activation",
        ((3,),),
    ),
    "global pooling": Case(
        (CONV, layer("global_pool", mode="max"), layer("linear")),
        (CONV, layer("global_pool"), layer("linear")),
        "no_activation",
        ((2,),),
    ),
    "separable": Case(
        (layer("depthwise"), layer("pointwise"), RELU, *HEAD),
        (layer("pointwise"), layer("depthwise"), RELU, *HEAD),
        "no_activation",
        ((1,),),
    ),
    "bottleneck": Case(
        (CONV, RELU, layer("pointwise", channels=8), layer("pointwise", channels=9), RELU, *HEAD),
        (CONV, RELU, layer("pointwise", channels=9), layer("pointwise", channels=9), RELU, *HEAD),
        "no_activation",
        ((3,),),
    ),
    "before a block": Case(
        (CONV, RELU, layer("residual"), *HEAD), (CONV, layer("residual"), *HEAD), "no_activation", ((1,),)
    ),
    "repeated": Case(
        (layer("repeat", times=2, layers=[CONV, RELU]), *HEAD),
        (layer("repeat", times=2, layers=[CONV]), RELU, *HEAD),
        "no_activation",
        ((0, 0, 0),),
    ),
    "once": Case(
        (layer("repeat", times=1, layers=[CONV]), RELU, *HEAD),
        (layer("repeat", times=2, layers=[CONV]), RELU, *HEAD),
        "no_activation",
        ((0, 0, 0),),
    ),
    "concatenated": Case(
        (*branches((CONV,), (CONV, RELU), merge="concatenate"), CONV, RELU, *HEAD),
        (*branches((CONV,), (CONV,), merge="concatenate"), CONV, RELU, *HEAD),
        "no_activation",
        ((1,),),
    ),
    "added to what was bent": Case(
        (CONV, RELU, *branches((CONV,), ()), CONV, RELU, *HEAD),
        (CONV, RELU, *branches((CONV,), (CONV,)), CONV, RELU, *HEAD),
        "no_activation",
        ((3,),),
    ),
    "gated": Case(
        (CONV, *branches((layer("global_pool"), layer("sigmoid")), (), merge="multiply"), CONV, RELU, *HEAD),
        (CONV, *branches((layer("max_pool"), layer("adaptive_avg_pool", size=32)), ()), CONV, CONV, RELU, *HEAD),
        "no_activation",
        ((3,),),
    ),
    "dropout": Case(
        (PLAIN, NORM, RELU, DROPOUT, PLAIN, NORM, RELU, *HEAD),
        (PLAIN, DROPOUT, RELU, layer("max_pool"), NORM, *HEAD),
        "dropout_before_batch_norm",
        ((1,),),
    ),
    "dropout of nothing": Case(
        (PLAIN, layer("dropout", probability=0.0), NORM, RELU, *HEAD),
        (PLAIN, layer("dropout2d", probability=0.1), NORM, RELU, *HEAD),
        "dropout_before_batch_norm",
        ((1,),),
    ),
    "dropout in a group": Case(
        (PLAIN, *branches((NORM, DROPOUT), ()), *HEAD),
        (
            *branches(
                (PLAIN, DROPOUT),
            ),
            NORM,
            RELU,
            *HEAD,
        ),
        "dropout_before_batch_norm",
        ((0, 0, 1),),
    ),
    "bias": Case((PLAIN, NORM, RELU, *HEAD), (CONV, NORM, RELU, *HEAD), "bias_before_batch_norm", ((0,),)),
    "bias and pooling": Case(
        (CONV, layer("avg_pool", kernel=3, padding=1), NORM, RELU, *HEAD),
        (CONV, layer("avg_pool", kernel=3), layer("max_pool", kernel=3, padding=1), NORM, RELU, *HEAD),
        "bias_before_batch_norm",
        ((0,),),
    ),
    "bias and activation": Case(
        (CONV, RELU, NORM, *HEAD), (layer("depthwise_separable"), NORM, *HEAD), "bias_before_batch_norm", ((0,),)
    ),
    "bias of linear": Case(
        (layer("flatten"), layer("linear", features=9), layer("layer_norm"), RELU, layer("linear")),
        (layer("flatten"), layer("linear", features=9), NORM, RELU, layer("linear")),
        "bias_before_batch_norm",
        ((1,),),
    ),
    "biases of branches": Case(
        (CONV, *branches((NORM, RELU, PLAIN), ()), NORM, RELU, *HEAD),
        (*branches((CONV,), (PLAIN,), (CONV,), merge="concatenate"), NORM, RELU, *HEAD),
        "bias_before_batch_norm",
        ((0, 0, 0), (0, 2, 0)),
    ),
    "field": Case(  # 11 pixels of 33, 9 of 33
        (*[CONV, RELU] * 5, layer("global_pool"), layer("linear")),
        (*[CONV, RELU] * 4, layer("global_pool"), layer("linear")),
        "small_receptive_field",
        ((8,),),
        shape=(3, 33, 33),
    ),
    "field of pooling to one": Case(
        (CONV, RELU, layer("adaptive_avg_pool", size=2), *HEAD),
        (CONV, RELU, layer("adaptive_avg_pool"), *HEAD),
        "small_receptive_field",
        ((2,),),
    ),
    "parameters": Case(  # 64 · 64 · 61 + 61 = 249,917; with 62 features 254,014
        (*STRIDED, layer("linear", features=61), RELU, layer("linear")),
        (*STRIDED, layer("linear", features=62), RELU, layer("linear")),
        "parameters_in_one_layer",
        ((3,),),
    ),
    "share": Case(  # 327,700 of 409,626 are less than 80%, of 409,595 more
        (CONV, RELU, layer("flatten"), layer("linear", features=20), RELU, *wide(2628)),
        (CONV, RELU, layer("flatten"), layer("linear", features=20), RELU, *wide(2627)),
        "parameters_in_one_layer",
        ((3,),),
    ),
    "sigmoids": Case(
        (layer("flatten"), *SIGMOIDS * 8, layer("linear"), layer("sigmoid")),
        (layer("flatten"), *SIGMOIDS * 9, layer("linear")),
        "many_sigmoids",
        ((18,),),
    ),
    "sigmoids in a group": Case(
        (layer("flatten"), layer("repeat", times=8, layers=list(SIGMOIDS)), layer("linear")),
        (layer("flatten"), layer("repeat", times=9, layers=list(SIGMOIDS)), layer("linear")),
        "many_sigmoids",
        ((1, 0, 1),),
    ),
    "sigmoids one can go round": Case(
        (layer("flatten"), *branches((layer("sigmoid"),) * 9, ()), layer("linear")),
        (layer("flatten"), *branches((layer("sigmoid"),) * 9, (layer("sigmoid"),) * 10), layer("linear")),
        "many_sigmoids",
        ((1, 0, 8),),
    ),
}


def advice(layers: Layers, shape: Shape, code: str) -> list[Finding]:
    findings = examine(layers, shape, CLASSES)
    assert not [one for one in findings if one.severity == "error"], findings
    return [one for one in findings if one.code == code]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_begins_where_it_should(case: Case) -> None:
    assert advice(case.good, case.shape, case.code) == []
    assert tuple(one.path for one in advice(case.bad, case.shape, case.code)) == case.paths


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_repair_takes_it_away_and_builds(case: Case) -> None:
    found = advice(case.bad, case.shape, case.code)
    for one in found:
        assert one.sentence.endswith(".")
        assert one.repairs
        for repair in one.repairs:
            assert refused(repair.layers, case.shape, CLASSES, 128) == ""
            left = advice(repair.layers, case.shape, case.code)
            assert len(left) < len(found) or left[0].sentence != one.sentence, repair.title


@settings(max_examples=150, deadline=None)
@given(layers=st.lists(layer_lists.readable, max_size=8), classes=st.integers(1, 12))
def test_repairs_of_advice_break_nothing(layers: list, classes: int) -> None:
    works = repair_all(layers, (3, 28, 28), classes)
    for finding in examine(works, (3, 28, 28), classes):
        assert finding.severity == "advice"
        for repair in finding.repairs:
            assert refused(repair.layers, (3, 28, 28), classes, 128) == "", (finding.code, repair.title)


PRESETS = {
    "two_conv_net": ["sigmoid_before_loss"],
    "one_conv_net": ["parameters_in_one_layer"],  # it teaches where parameters go
}


@pytest.mark.parametrize("name", network_presets.names())
def test_presets_at_their_own_size_get_what_is_true_of_them(name: str) -> None:
    preset = network_presets.get(name)
    side = preset.image_size or 28
    found = examine(preset.layers, (3, side, side), CLASSES, preset.training.batch_size)
    assert [one.code for one in found] == PRESETS.get(name, [])


@pytest.mark.parametrize(("kind", "shown"), [("sigmoid", "23%"), ("softmax", "23%"), ("tanh", "45%")])
def test_the_confidence_it_names_is_the_most_that_softmax_gives(kind: str, shown: str) -> None:
    sentence = next(one.sentence for one in examine((*HEAD, layer(kind)), (3, 8, 8), CLASSES))
    assert shown in sentence
    bent: nn.Module = {"sigmoid": nn.Sigmoid(), "softmax": nn.Softmax(-1), "tanh": nn.Tanh()}[kind]
    scores = bent(torch.tensor([[99.0] + [-99.0] * (CLASSES - 1)]))
    assert f"{scores.softmax(-1).max():.0%}" == shown


def test_a_bias_before_batch_norm_does_nothing() -> None:
    conv, pool = nn.Conv2d(3, 4, 3, padding=1), nn.MaxPool2d(3, 2, 1)
    images = torch.randn(8, 3, 9, 9)
    with_bias = nn.BatchNorm2d(4)(pool(conv(images)))
    conv.bias = None
    assert torch.allclose(with_bias, nn.BatchNorm2d(4)(pool(conv(images))), atol=1e-5)


def test_two_weighted_sums_are_one() -> None:
    """A convolution, average pooling, flatten and linear layer: what they do is additive."""
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(36, 5)).double()
    first, second = torch.randn(2, 3, 8, 8).double().split(1)
    zero = network(torch.zeros_like(first))
    assert torch.allclose(network(first + second) - zero, network(first) + network(second) - 2 * zero)
