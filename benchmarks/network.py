"""Shaping a network: what a change of a layer costs the server."""

from __future__ import annotations

import time

from benchmarks.row import Row, at_most
from benchmarks.transfer import transfer_rows
from cnn_core.models.doctor import examine
from cnn_core.models.preset import Layers, layer

REPEATS = 25
BLOCK: Layers = (layer("conv", channels=32), layer("batch_norm"), layer("relu"))
FORTY_LAYERS: Layers = (
    *(BLOCK * 4 + (layer("max_pool"),)) * 2,
    *(layer("residual", channels=64, stride=2), *(layer("residual"),) * 3),
    *(layer("group_norm", groups=7), layer("silu")),
    layer("branches", merge="add", branches=[[layer("conv", channels=32), layer("batch_norm")], []]),
    *(layer("repeat", times=2, layers=[layer("conv", channels=64), layer("gelu")]), layer("dropout")),
    *(layer("flatten"), layer("linear", features=512, inputs=1024), layer("relu"), layer("linear", features=7)),
    layer("softmax"),
)


def rows() -> list[Row]:
    return [doctor_row(), *transfer_rows()]


def doctor_row() -> Row:
    """Of a network with things that cannot work and many that are unwise."""
    times = []
    for _ in range(REPEATS + 1):
        began = time.perf_counter()
        findings = examine(FORTY_LAYERS, (3, 128, 128), 10)
        times.append(1000 * (time.perf_counter() - began))
    note = f"{len(findings)} findings at {len(FORTY_LAYERS)} layers"
    return at_most("network: doctor", times[1:], 10, "ms", note)
