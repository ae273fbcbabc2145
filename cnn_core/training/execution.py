"""How a run is computed: choices that change its speed, and only the last digits of its numbers."""

from __future__ import annotations

import copy
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cnn_core.recipe import TrainingSpec
from cnn_core.settings import settings
from cnn_core.training.hardware import allowed_threads, choose_precision
from cnn_core.training.step import Step

MEASURE_SECONDS = 0.6  # for all candidates together: 1% of a run of a minute
STEPS = 3  # timed of each candidate, after one that is not
WORTH = 0.85  # an alternative has to take less than this share of the time, twice, so that noise does not choose


@dataclass(frozen=True)
class Execution:
    """Together with device and recipe it fixes every bit of a run on one computer."""

    precision: str  # "float32" or "bfloat16": of convolutions and matrix products
    layout: str  # "channels_last" or "channels_first": order of the numbers of a map in memory
    pool_first: bool  # pool before bias and activation, see `reorder`
    threads: int  # of the CPU

    @property
    def memory_format(self) -> torch.memory_format:
        return torch.channels_last if self.layout == "channels_last" else torch.contiguous_format

    def __str__(self) -> str:
        order = ", pooling first" if self.pool_first else ""
        threads = f"{self.threads} CPU thread{'s' if self.threads > 1 else ''}"
        return f"{self.precision}, {self.layout.replace('_', ' ')}{order}, {threads}"


def fixed(training: TrainingSpec, device: torch.device) -> Execution:
    """The recipe's own choices, and for "auto" what was fastest where it was tried."""
    return Execution(
        precision=choose_precision(training.precision, device),
        layout="channels_last" if training.layout == "auto" else training.layout,
        pool_first=training.pool_first != "off",
        threads=allowed_threads(training.threads),
    )


def choose(
    network: nn.Sequential, training: TrainingSpec, device: torch.device, batch: tuple[Tensor, Tensor]
) -> Execution:
    """What the recipe leaves open, measured with a copy of the network on one batch, at most about MEASURE_SECONDS.

    A measurement is kept in the data folder: the same network, batch and computer are always run in the same way,
    so the same recipe gives the same weights. Leaves the network and torch's random state as they were.
    """
    kept = _file(network, training, device, batch[0])
    if kept.exists():
        return Execution(**json.loads(kept.read_text()))
    chosen = _measure(network, training, device, batch)
    kept.parent.mkdir(parents=True, exist_ok=True)
    temporary = kept.with_suffix(".part")
    temporary.write_text(json.dumps(asdict(chosen)))
    temporary.replace(kept)
    return chosen


def _measure(
    network: nn.Sequential, training: TrainingSpec, device: torch.device, batch: tuple[Tensor, Tensor]
) -> Execution:
    best, end = fixed(training, device), time.perf_counter() + MEASURE_SECONDS
    gpus = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=gpus):
        shortest = _seconds(best, network, training, device, batch, end)
        for change in _alternatives(best, training, device):
            if time.perf_counter() + (STEPS + 1) * shortest > end:
                break
            candidate = replace(best, **change)
            seconds = _seconds(candidate, network, training, device, batch, end)
            if seconds < WORTH * shortest and seconds < WORTH * _seconds(best, network, training, device, batch, end):
                best, shortest = candidate, seconds
    return best


def _alternatives(start: Execution, training: TrainingSpec, device: torch.device) -> Iterator[dict[str, Any]]:
    """One change each to what the recipe leaves open, the most promising first."""
    if training.layout == "auto":
        yield {"layout": "channels_first"}
    if training.precision == "auto" and start.precision == "bfloat16":
        yield {"precision": "float32"}
    # A CPU without instructions for bfloat16 took 10 times as long with it
    if training.precision == "auto" and device.type == "cpu" and "AVX512" in torch.backends.cpu.get_cpu_capability():
        yield {"precision": "bfloat16"}
    if not training.threads and device.type == "cpu" and start.threads > 1:
        yield {"threads": start.threads // 2}
    if training.pool_first == "auto":
        yield {"pool_first": False}


def _seconds(
    execution: Execution,
    network: nn.Sequential,
    training: TrainingSpec,
    device: torch.device,
    batch: tuple[Tensor, Tensor],
    end: float,
) -> float:
    """Time of the fastest of a few steps with a copy of the network; none is begun after `end`, but the first two."""
    torch.set_num_threads(execution.threads)
    step = Step(copy.deepcopy(network).train(), training, device, execution)
    times: list[float] = []
    for number in range(STEPS + 1):
        began = time.perf_counter()
        if number > 1 and began > end:
            break
        step(*batch, rate=0.0)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - began)
    return min(times[1:])


def _file(network: nn.Sequential, training: TrainingSpec, device: torch.device, images: Tensor) -> Path:
    facts = [
        str(network), list(images.shape), training.optimiser, training.precision, training.layout, training.pool_first,
        training.threads, allowed_threads(training.threads),
        torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        torch.backends.cpu.get_cpu_capability(), torch.__version__,
    ]  # fmt: skip
    return settings().home / "measured" / f"{hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]}.json"
