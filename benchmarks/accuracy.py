"""What the recommended run reaches, and how long it trains, through the code of a worker."""

from __future__ import annotations

import threading

from benchmarks.row import Row, at_least, at_most
from cnn_core.jobs.execute import execute
from cnn_core.runs.store import store
from cnn_core.runs.tables import Run
from cnn_core.training.plan import check, starting_recipe

SEEDS = (0, 1, 2)


def rows() -> list[Row]:
    runs = [_train(seed) for seed in SEEDS]
    name = "accuracy compact_resnet on the bundled sample"
    return [
        at_least(f"{name}: test", [100 * (run.test_accuracy or 0) for run in runs], 89.5, "%", "three seeds"),
        at_most(f"{name}: training time", [run.seconds for run in runs], 30, "s", "validation included"),
    ]


def _train(seed: int) -> Run:
    recipe = check(starting_recipe()).model_copy(update={"seed": seed})
    run_id = store().create(recipe, f"seed {seed}", worker="benchmark")
    execute(run_id, "benchmark", "auto", threading.Event())
    return store().get(run_id)
