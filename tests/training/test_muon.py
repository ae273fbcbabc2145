"""Muon against torch's own, and what learns by AdamW beside it."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnn_core.recipe import LayerRate, TrainingSpec
from cnn_core.training.muon import Muon, matrices_of, orthogonal
from cnn_core.training.optimisers import build_optimiser

CPU = torch.device("cpu")
RATE, DECAY = 0.01, 0.1


def learn(parameters: list[nn.Parameter], optimiser: torch.optim.Optimizer, rates: list[float]) -> None:
    generator = torch.Generator().manual_seed(1)
    for rate in rates:
        for group in optimiser.param_groups:
            group["lr"] = rate * group.get("factor", 1.0)
        for parameter in parameters:
            parameter.grad = torch.randn(parameter.shape, generator=generator)
        optimiser.step()


@pytest.mark.parametrize("shape", [(5, 12), (12, 5), (7, 7), (1, 6), (6, 1)])
@pytest.mark.parametrize("decay", [0.0, DECAY])
def test_a_matrix_is_stepped_as_by_torch(shape: tuple[int, int], decay: float) -> None:
    torch.manual_seed(0)
    ours = nn.Parameter(torch.randn(shape))
    theirs = nn.Parameter(ours.detach().clone())
    group = {"params": [ours], "matrices": True, "weight_decay": decay}
    rates = [RATE, RATE / 2, RATE / 3]
    learn([ours], Muon([group], lr=RATE), rates)
    learn([theirs], torch.optim.Muon([theirs], lr=RATE, weight_decay=decay, adjust_lr_fn="match_rms_adamw"), rates)
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_convolution_is_stepped_as_the_matrix_of_its_kernels(layout: torch.memory_format) -> None:
    torch.manual_seed(0)
    start = torch.randn(6, 4, 3, 3)
    ours = nn.Parameter(start.clone(memory_format=layout))
    theirs = nn.Parameter(start.reshape(6, 36).clone())
    learn([ours], Muon([{"params": [ours], "matrices": True, "weight_decay": DECAY}], lr=RATE), [RATE] * 3)
    oracle = torch.optim.Muon([theirs], lr=RATE, weight_decay=DECAY, adjust_lr_fn="match_rms_adamw")
    learn([theirs], oracle, [RATE] * 3)
    torch.testing.assert_close(ours.reshape(6, 36), theirs, atol=1e-6, rtol=1e-6)


def test_a_rate_that_is_a_tensor_gives_the_same_steps() -> None:
    """As on a GPU, where a recorded step reads it."""
    torch.manual_seed(0)
    start = torch.randn(5, 12)
    weights = [nn.Parameter(start.clone()) for _ in range(2)]
    for weight, rate in zip(weights, (RATE, torch.tensor(RATE)), strict=True):
        optimiser = Muon([{"params": [weight], "matrices": True, "weight_decay": DECAY}], lr=RATE)
        optimiser.param_groups[0]["lr"] = rate
        for number in range(3):
            weight.grad = torch.randn(5, 12, generator=torch.Generator().manual_seed(number))
            optimiser.step()
    torch.testing.assert_close(*weights, atol=1e-6, rtol=1e-6)


def network_of() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, bias=False),
        nn.BatchNorm2d(8),
        nn.Conv2d(8, 8, 3, groups=8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 5),
    )


def test_matrices_learn_by_muon_and_the_rest_by_adamw_each_at_its_rate() -> None:
    network, oracle = network_of(), network_of()
    rates = (LayerRate(address="6", factor=0.1), LayerRate(address="2", factor=2.0))
    training = TrainingSpec(optimiser="muon", weight_decay=DECAY)
    ours = build_optimiser(network, training, CPU, rates)
    assert isinstance(ours, Muon)
    ours._dtype = torch.bfloat16  # torch's, also on a processor without instructions for it
    theirs = dict(oracle.named_parameters())
    matrices = {"0.weight": 1.0, "6.weight": 0.1}
    others = {name: {"2": 2.0, "6": 0.1}.get(name[0], 1.0) for name in theirs if name not in matrices}
    muons = [
        torch.optim.Muon(
            [theirs[name].flatten(1).detach()], lr=RATE * factor, weight_decay=DECAY, adjust_lr_fn="match_rms_adamw"
        )
        for name, factor in matrices.items()
    ]
    adamw = torch.optim.AdamW(
        [
            {"params": [theirs[name]], "lr": RATE * factor, "weight_decay": DECAY if theirs[name].ndim > 1 else 0.0}
            for name, factor in others.items()
        ]
    )
    for group in ours.param_groups:
        group["lr"] = RATE * group["factor"]
    for number in range(3):
        images, labels = torch.randn(16, 3, 8, 8), torch.randint(5, (16,))
        for model in (network, oracle):
            model.zero_grad()
            F.cross_entropy(model(images), labels).backward()
        ours.step()
        adamw.step()
        for name, muon in zip(matrices, muons, strict=True):
            [flat] = muon.param_groups[0]["params"]  # a view of the weight
            flat.grad = theirs[name].grad.flatten(1)  # type: ignore[union-attr]
            muon.step()
        for (name, mine), their in zip(network.named_parameters(), theirs.values(), strict=True):
            torch.testing.assert_close(mine, their, atol=1e-5, rtol=1e-4, msg=f"{name} after step {number}")


def test_grouped_kernels_are_no_matrix() -> None:
    network = network_of()
    assert [tuple(weight.shape) for weight in matrices_of(network)] == [(8, 3, 3, 3), (5, 8)]


def test_a_network_of_matrices_alone_learns() -> None:
    network = nn.Linear(4, 3, bias=False)
    before = network.weight.detach().clone()
    optimiser = build_optimiser(network, TrainingSpec(optimiser="muon"), CPU)
    network(torch.randn(2, 4)).sum().backward()
    optimiser.step()
    assert not torch.equal(network.weight, before)


@pytest.mark.parametrize("shape", [(6, 40), (40, 6)])
def test_singular_values_become_alike(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonal(torch.randn(shape), torch.float32))
    assert 0.6 < float(values.min()) <= float(values.max()) < 1.3


def test_zeros_stay_zeros_and_what_is_no_number_shows() -> None:
    assert not orthogonal(torch.zeros(3, 4), torch.bfloat16).any()
    broken = torch.zeros(3, 4)
    broken[1, 1] = float("nan")
    assert orthogonal(broken, torch.bfloat16).isnan().all()
