"""What the recommended runs reach, and how long they train, through the code of a worker."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass

from benchmarks.row import Row, at_least, at_most
from cnn_core.data.catalogue.library import prepare
from cnn_core.errors import DatasetUnavailableError
from cnn_core.jobs.execute import execute
from cnn_core.planning.recipe import check, starting_recipe
from cnn_core.runs.store import store
from cnn_core.runs.tables import Run


@dataclass(frozen=True)
class Case:
    """A run, how well it should do in which time, and how often it is tried."""

    network: str
    dataset: str
    percent: float
    seconds: float
    seeds: tuple[int, ...] = (0, 1, 2)


CASES = (
    Case("compact_resnet", "fashion_mnist_sample", 89.5, 30),
    Case("best_in_one_minute", "fashion_mnist", 92.6, 60),
    Case("best_in_three_minutes", "fashion_mnist", 93.5, 180),
    Case("best_in_eight_minutes", "fashion_mnist", 94.1, 500, seeds=(0,)),
)


def rows() -> list[Row]:
    found: list[Row] = []
    for case in CASES:
        try:
            prepare(case.dataset)
        except DatasetUnavailableError as error:
            print(f"No rows for {case.network} on {case.dataset}: {error}", file=sys.stderr)
            continue
        runs = [_train(case, seed) for seed in case.seeds]
        name, seeds = f"accuracy {case.network} on {case.dataset}", f"seeds {', '.join(map(str, case.seeds))}"
        accuracies = [100 * (run.test_accuracy or 0) for run in runs]
        mean = f"{seeds}; mean {sum(accuracies) / len(accuracies):.2f}"
        found.append(at_least(f"{name}: test", accuracies, case.percent, "%", mean))
        found.append(at_most(f"{name}: training time", [run.seconds for run in runs], case.seconds, "s"))
    return found


def _train(case: Case, seed: int) -> Run:
    recipe = check(starting_recipe(case.dataset, case.network)).model_copy(update={"seed": seed})
    run_id = store().create(recipe, f"seed {seed}", worker="benchmark")
    execute(run_id, "benchmark", "auto", threading.Event())
    return store().get(run_id)
