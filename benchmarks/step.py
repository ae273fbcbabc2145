"""A training step beside the same convolutions and matrix products run alone, and the share of data in a batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.row import Row, at_least, at_most
from cnn_core.data.dataset import ImageDataset
from cnn_core.data.feed.batches import Batches
from cnn_core.models.network import Network, build
from cnn_core.models.presets import layers_of
from cnn_core.recipe import NetworkSpec, TrainingSpec
from cnn_core.training.execution import Execution, fixed
from cnn_core.training.memory import keep_freed_memory
from cnn_core.training.step import Step

CPU = torch.device("cpu")
ROUNDS, TURNS, BATCH = 5, 12, 128


def rows_of(name: str, dataset: ImageDataset, batches: Batches) -> list[Row]:
    """One row against the arithmetic alone, one of the time for data and augmentation."""
    keep_freed_memory()
    torch.manual_seed(0)
    network = build(layers_of(NetworkSpec(preset=name)), dataset.shape, len(dataset.classes))
    training = TrainingSpec(batch_size=BATCH)
    execution = fixed(training, CPU)
    step = Step(network, training, CPU, execution)
    stream = _endless(batches)
    images, labels = next(stream)
    alone = _arithmetic(network, images, execution)
    works = [partial(step, images, labels, rate=1e-3), lambda: [work() for work in alone], lambda: next(stream)]
    times = np.array([_medians(works) for _ in range(ROUNDS)])
    whole, arithmetic, data = 1000 * np.median(times, axis=0)
    note = f"{arithmetic:.3g} of {whole:.3g} ms"
    fractions = 100 * times[:, 1] / times[:, 0]
    data_shares = 100 * times[:, 2] / (times[:, 0] + times[:, 2])
    return [
        at_least(f"throughput {name} step: convolutions and matrix products alone", fractions, 60, "%", note),
        at_most(f"throughput {name} batch: data and augmentation", data_shares, 10, "%", f"{data:.2g} ms"),
    ]


def _medians(works: Sequence[Callable[[], object]]) -> list[float]:
    """Seconds of each, taken in turn so that all meet the same noise."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(TURNS):
        for work, seconds in zip(works, times, strict=True):
            began = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - began)
    return [float(np.median(seconds)) for seconds in times]


def _endless(batches: Batches):
    epoch = 0
    while True:
        yield from batches.epoch(epoch)
        epoch += 1


def _arithmetic(network: Network, images: Tensor, execution: Execution) -> list[Callable[[], object]]:
    """Forward and both gradients of every convolution and matrix product in the network, in the shapes of the batch."""
    works: list[Callable[[], object]] = []

    def note(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        x, gradient = inputs[0].detach().clone(), torch.randn_like(output)
        first = not works
        if isinstance(module, nn.Conv2d):
            weight, stride, padding = module.weight.detach(), list(module.stride), [int(p) for p in module.padding]
            works.append(partial(F.conv2d, x, weight, None, stride, padding))
            arguments = (gradient, x, weight, None, stride, padding, [1, 1], False, [0, 0], 1, [not first, True, False])
            works.append(partial(torch.ops.aten.convolution_backward, *arguments))
        elif isinstance(module, nn.Linear):
            works.append(partial(torch.mm, x, module.weight.detach().t()))
            works.append(partial(torch.mm, gradient.t(), x))
            if not first:
                works.append(partial(torch.mm, gradient, module.weight.detach()))

    hooks = [module.register_forward_hook(note) for module in network.modules()]
    with torch.no_grad():
        network(images.contiguous(memory_format=execution.memory_format))
    for hook in hooks:
        hook.remove()
    return works
