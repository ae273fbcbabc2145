"""Which batches a GPU records and replays, decided without one; how its numbers are multiplied is set on purpose."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from cnn_core.recipe import TrainingSpec
from cnn_core.training.execution import Execution, fixed
from cnn_core.training.hardware import choose_precision, computes_bfloat16, fastest_kernels
from cnn_core.training.step import RECORDED_STEPS, WARM_STEPS, Step, recorded_size, way_of

CPU, GPU = torch.device("cpu"), torch.device("cuda")


def test_only_long_runs_on_cuda_record_their_step() -> None:
    assert recorded_size(RECORDED_STEPS, 64, GPU) == 64
    assert recorded_size(RECORDED_STEPS - 1, 64, GPU) == 0
    assert recorded_size(RECORDED_STEPS, 64, CPU) == 0


def test_a_batch_is_recorded_when_warm_and_whole() -> None:
    assert way_of(64, 64, WARM_STEPS, recorded=False) == "record"
    assert way_of(64, 64, WARM_STEPS - 1, recorded=False) == "compute"
    assert way_of(64, 64, WARM_STEPS, recorded=True) == "replay"
    for recorded in (False, True):
        assert way_of(63, 64, WARM_STEPS, recorded) == "compute"
        assert way_of(64, 0, WARM_STEPS, recorded) == "compute"


@pytest.mark.parametrize("sizes", [(8, 8, 8, 5, 8, 8, 5), (5, 5, 5, 5, 8, 8, 8, 8, 5, 8), (8, 5, 8, 5, 8, 5, 8, 5, 8)])
def test_a_partial_batch_is_never_the_recorded_one(monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, ...]) -> None:
    recorded, replayed, computed = list[int](), list[int](), list[int]()
    compute = Step._compute

    def record(self: Step, images: torch.Tensor, labels: torch.Tensor) -> None:
        recorded.append(len(images))
        self._graph = object()

    def count(self: Step, images: torch.Tensor, labels: torch.Tensor) -> None:
        computed.append(len(images))
        assert torch.backends.cudnn.benchmark == (len(images) == 8)
        compute(self, images, labels)

    monkeypatch.setattr(Step, "_record", record)
    monkeypatch.setattr(Step, "_replay", lambda self, images, labels: replayed.append(len(images)))
    monkeypatch.setattr(Step, "_compute", count)
    network, training = nn.Sequential(nn.Flatten(), nn.Linear(12, 3)), TrainingSpec()
    step = Step(network, training, CPU, fixed(training, CPU), recorded=8)
    for size in sizes:
        step(torch.randn(size, 3, 2, 2), torch.randint(0, 3, (size,)), 0.01)
    whole = sizes.count(8)
    assert recorded == [8]
    assert replayed == [8] * (whole - WARM_STEPS)
    assert sorted(computed) == [5] * sizes.count(5) + [8] * WARM_STEPS
    assert not torch.backends.cudnn.benchmark


@pytest.mark.parametrize("mixed", [False, True])
def test_replayed_and_partial_batches_in_turn_learn_what_computed_ones_do(
    monkeypatch: pytest.MonkeyPatch, mixed: bool
) -> None:
    def record(self: Step, images: torch.Tensor, labels: torch.Tensor) -> None:
        self._images, self._labels = torch.zeros_like(images), torch.zeros_like(labels)
        self._graph = SimpleNamespace(replay=lambda: self._compute(self._images, self._labels))

    monkeypatch.setattr(Step, "_record", record)
    training, sums, weights = TrainingSpec(learning_rate=0.1), [], []
    for size in (0, 8):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.Dropout(), nn.Linear(8, 3)).train()
        step = Step(network, training, CPU, fixed(training, CPU), recorded=size)
        for number in range(12):
            count = 5 if number % 4 == 3 else 8
            labels = torch.rand(count, 3).softmax(1) if mixed else torch.randint(0, 3, (count,))
            step(torch.randn(count, 3, 2, 2), labels, 0.01 * number)
        sums.append(tuple(step.counters.take()))
        weights.append(network[1].weight.detach())
        assert (step._graph is not None) == bool(size)
    assert torch.equal(*weights)
    assert sums[0] == sums[1]


def test_kernels_are_timed_only_inside() -> None:
    with fastest_kernels(True):
        assert torch.backends.cudnn.benchmark
        with fastest_kernels(False):
            assert not torch.backends.cudnn.benchmark
        assert torch.backends.cudnn.benchmark
    assert not torch.backends.cudnn.benchmark


@pytest.mark.parametrize(("name", "major", "native"), [("V100", 7, False), ("A100", 8, True), ("H100", 9, True)])
def test_emulated_bfloat16_does_not_count(monkeypatch: pytest.MonkeyPatch, name: str, major: int, native: bool) -> None:
    monkeypatch.setattr(torch.cuda, "device", lambda device: nullcontext())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(name=name, major=major))
    monkeypatch.setattr(torch.cuda, "_check_bf16_tensor_supported", lambda device: True)
    assert torch.cuda.is_bf16_supported()  # what a V100 says of itself
    assert computes_bfloat16(GPU) == native
    assert choose_precision("auto", GPU) == ("bfloat16" if native else "float32")


@pytest.mark.parametrize(("precision", "expected"), [("float32", False), ("tf32", True), ("bfloat16", False)])
def test_tf32_is_set_on_purpose_and_named(precision: str, expected: bool) -> None:
    before = torch.backends.cudnn.allow_tf32
    execution = Execution(precision, "channels_last", True, torch.get_num_threads())
    try:
        execution.apply()
        assert torch.backends.cuda.matmul.allow_tf32 == torch.backends.cudnn.allow_tf32 == expected
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = False, before
    assert str(execution).startswith({"tf32": "TF32"}.get(precision, precision) + ", ")
