"""Where the time of a training step goes: `python -m benchmarks.shares` prints the table of benchmarks/README.md."""

from __future__ import annotations

import time
from collections import defaultdict

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.throughput import BATCH, dataset_of
from cnn_core.data.augmentation.presets import augment_presets
from cnn_core.data.augmentation.steps import read_steps
from cnn_core.data.feed.batches import Batches
from cnn_core.models.network import build
from cnn_core.models.presets import layers_of
from cnn_core.recipe import NetworkSpec, TrainingSpec
from cnn_core.training.execution import fixed
from cnn_core.training.memory import keep_freed_memory
from cnn_core.training.step import Step

COLOUR, GREY = (3, 32, 32), (1, 28, 28)
NETWORKS = {"simple_cnn": COLOUR, "one_conv_net": COLOUR, "two_conv_net": GREY, "compact_resnet": GREY}
CPU = torch.device("cpu")
STEPS = 60
# The first pattern that a torch operator's name contains says what it belongs to; the rest is bookkeeping
KINDS = {
    "convolution": "convolution",
    "mm": "matrix products",
    "batch_norm": "batch norm",
    "max_pool": "pooling",
    "fill_": "pooling",  # the zeros that its backward writes first
    "threshold": "activation",
    "clamp_min": "activation",
    "Optimizer.step": "optimiser",
    "_fused": "optimiser",
    "_foreach": "optimiser",
}
COLUMNS = ("data", *dict.fromkeys(KINDS.values()), "bookkeeping")


def fractions(name: str, shape: tuple[int, int, int]) -> tuple[float, dict[str, float]]:
    """Milliseconds of a batch, data included, and what takes which per cent of it."""
    keep_freed_memory()
    dataset = dataset_of(shape)
    network = build(layers_of(NetworkSpec(preset=name)), shape, 10)
    training = TrainingSpec(batch_size=BATCH)
    step = Step(network, training, CPU, fixed(training, CPU))
    batches = Batches(
        dataset, "train", BATCH, shuffle=True, augment=read_steps(augment_presets.get("tutorial").steps)
    ).epoch()
    for _ in range(5):
        step(*next(batches), rate=1e-3)
    data = whole = 0.0
    found: dict[str, float] = defaultdict(float)
    for _ in range(STEPS):
        began = time.perf_counter()
        batch = next(batches)
        data += time.perf_counter() - began
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        for _ in range(STEPS):
            began = time.perf_counter()
            step(*batch, rate=1e-3)
            whole += time.perf_counter() - began
    for event in seen.key_averages():
        kind = next((kind for part, kind in KINDS.items() if part in event.key), "bookkeeping")
        found[kind] += event.self_cpu_time_total / 1e6
    scale = whole / sum(found.values())
    total = whole + data
    parts = {kind: 100 * seconds * scale / total for kind, seconds in found.items()} | {"data": 100 * data / total}
    return 1000 * total / STEPS, parts


def main() -> None:
    print(f"| network | ms | {' | '.join(COLUMNS)} |\n|---|---|{'---|' * len(COLUMNS)}")
    for name, shape in NETWORKS.items():
        milliseconds, parts = fractions(name, shape)
        print(f"| {name} | {milliseconds:.1f} | {' | '.join(f'{parts.get(kind, 0):.0f}%' for kind in COLUMNS)} |")


if __name__ == "__main__":
    main()
