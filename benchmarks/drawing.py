"""What a page draws: montages and the payload of a live chart."""

from __future__ import annotations

import json

import numpy as np

from benchmarks import lab
from benchmarks.row import Row, at_most
from benchmarks.timing import milliseconds
from cnn_core.inspection.montage import montage
from cnn_core.planning.recipe import starting_recipe
from cnn_core.runs.store import store
from cnn_core.runs.tables import Metric
from pages.ui.charts.curves import Record
from pages.ui.charts.figures import curve_option

REPORTS, EPOCHS = 20_000, 1000


def rows() -> list[Row]:
    maps = np.random.default_rng(0).normal(size=(64, 28, 28)).astype(np.float32)
    run = store().get(store().create(starting_recipe(), "long"))
    record = Record(_metrics())
    sizes = [sum(len(json.dumps(curve_option(run, record, name))) for name in ("loss", "accuracy")) / 1024]
    return [
        at_most("drawing 64 feature maps of 28×28", milliseconds(lambda: montage(maps), 20), 5, "ms"),
        at_most(f"drawing payload of a live run of {REPORTS:,} reports", sizes, 30, "KiB", "both charts"),
        *lab.rows(),
    ]


def _metrics() -> list[Metric]:
    random = np.random.default_rng(0)
    train = [("train", EPOCHS * number / REPORTS) for number in range(REPORTS)]
    points = train + [("validation", float(epoch)) for epoch in range(1, EPOCHS + 1)]
    return [
        Metric(id=1, step=1, kind=kind, epoch=epoch, loss=random.random(), accuracy=random.random())
        for kind, epoch in points
    ]
