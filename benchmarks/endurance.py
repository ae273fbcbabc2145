"""`kill -9` of the worker, of the server that keeps it, and of both, at random moments of runs with short epochs.

Every run must end with the weights, the curve, the best epoch and the test of one that was left alone. As a program:
`python -m benchmarks.endurance --kills 60`; it prints a line a kill and raises where a run differs.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from benchmarks.row import Row, at_most
from cnn_core.jobs.queue import command, submit
from cnn_core.planning.recipe import starting_recipe
from cnn_core.recipe import LayerSpec, NetworkSpec, Recipe
from cnn_core.runs.folder import BEST, RESUME, RunFolder, snapshot
from cnn_core.runs.store import store

ROOT = Path(__file__).parents[1]
KILLS = 60
LONGEST_PAUSE = 1.2  # seconds of training until the next kill: some epochs
VICTIMS = ("worker", "server", "both")
SERVER = """
import time
from cnn_core.jobs.executors.local_pool import start_workers, wait_until_ready
pool = start_workers(); wait_until_ready(120)
print(pool.pids[0], flush=True)
while True: time.sleep(3600)
"""
LAYERS = (
    *(LayerSpec(kind="conv", channels=8), LayerSpec(kind="batch_norm"), LayerSpec(kind="relu")),
    *(LayerSpec(kind="max_pool"), LayerSpec(kind="flatten"), LayerSpec(kind="dropout"), LayerSpec(kind="linear")),
)


def rows() -> list[Row]:
    """Runs that differ from one that was left alone, of all that were killed `KILLS` times together."""
    runs, differing = endure(KILLS)
    return [at_most("runs that differ after kill -9", [differing], 0, "runs", f"{KILLS} kills in {runs} runs")]


def endure(kills: int, seed: int = 0) -> tuple[int, int]:
    """Runs that were killed, and how many of them ended differently. Works in the data folder of the settings."""
    draw, recipe = random.Random(seed), _recipe()
    server = _Server()
    try:
        whole = submit(recipe)
        _wait(lambda: store().get(whole).status == "finished")
        expected, done, runs, differing = _outcome(whole), 0, 0, 0
        while done < kills:
            run_id = submit(recipe)
            while store().get(run_id).status != "finished":
                if done < kills and _train_for(run_id, draw.uniform(0, LONGEST_PAUSE)):
                    victim = VICTIMS[done % len(VICTIMS)]
                    step = store().get(run_id).step
                    server.kill(victim)
                    done += 1
                    print(f"kill {done}: {victim} of run {run_id} after step {step}", file=sys.stderr, flush=True)
                    _wait(lambda: store().get(run_id).status in ("interrupted", "finished"))  # noqa: B023 - waited for here
                if store().get(run_id).status == "interrupted":
                    command(run_id, "resume")
                _wait(lambda: store().get(run_id).status in ("running", "finished"))  # noqa: B023 - waited for here
                if done >= kills:
                    _wait(lambda: store().get(run_id).status == "finished")  # noqa: B023 - waited for here
            runs += 1
            differences = [name for name, value in _outcome(run_id).items() if not _equal(value, expected[name])]
            differing += bool(differences)
            print(f"run {run_id}: {', '.join(differences) or 'the same'}", file=sys.stderr, flush=True)
        return runs, differing
    finally:
        server.close()


class _Server:
    """What app.py keeps: a process with a pool of one worker."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen([sys.executable, "-c", SERVER], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self._process.stdout.readline()

    def kill(self, victim: str) -> None:
        """Kill without warning; a server that is gone is started again, as a person would."""
        workers = [worker.pid for worker in store().workers() if worker.slot == 0]
        for pid in [*(workers if victim != "server" else ()), *([self._process.pid] if victim != "worker" else ())]:
            os.kill(pid, signal.SIGKILL)
        if victim != "worker":
            self._process.wait()
            self._process.stdout.close()  # type: ignore[union-attr]
            self._start()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def _recipe() -> Recipe:
    """Forty epochs of about a tenth of a second, with everything that draws: shuffling, augmentation, dropout."""
    values = starting_recipe("digits", "simple_cnn").model_dump(mode="json")
    values["network"] = NetworkSpec(preset="", layers=LAYERS).model_dump(mode="json")
    values["training"] |= {"epochs": 40, "batch_size": 128, "optimiser": "adam", "learning_rate": 0.003, "threads": 1}
    values["training"] |= {"schedule": "one_cycle", "layout": "channels_last", "precision": "float32"}
    values["augment"] = [{"kind": "rotation"}, {"kind": "shift", "pixels": 1}]
    return Recipe.model_validate(values)


def _train_for(run_id: str, seconds: float) -> bool:
    """Let a run train for a while. False when it ended meanwhile."""
    _wait(lambda: store().get(run_id).status in ("running", "finished"))
    time.sleep(seconds)
    return store().get(run_id).status == "running"


def _outcome(run_id: str) -> dict[str, Any]:
    """All that must be equal: weights of every kept epoch, validation curve, best epoch, predictions."""
    run, folder = store().get(run_id), RunFolder(run_id)
    predictions = folder.predictions()
    assert predictions
    points = [(p.step, p.loss, p.accuracy) for p in store().metrics(run_id) if p.kind == "validation"]
    weights = {f"weights of epoch {epoch}": load_file(folder.files.open(snapshot(epoch))) for epoch in folder.epochs()}
    return weights | {
        "best weights": load_file(folder.files.open(BEST)),
        "validation curve": points,
        "best epoch": (run.best_epoch, run.best_validation_loss),
        "test": (run.test_accuracy, run.test_loss),
        "predictions": {"probabilities": predictions.probabilities},
        "resume state removed": not folder.has(RESUME),
    }


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)
    return bool(a == b)


def _wait(until: Callable[[], bool], seconds: float = 180.0) -> None:
    limit = time.monotonic() + seconds
    while not until():
        if time.monotonic() > limit:
            raise TimeoutError(f"waited {seconds:.0f} s in vain; runs: {[(r.id, r.status) for r in store().runs()]}")
        time.sleep(0.02)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["CNN_PLAYGROUND_HOME"] = home
        runs, differing = endure(options.kills, options.seed)
    print(f"{options.kills} kills, {runs} runs, {differing} of them differ")
    sys.exit(bool(differing))


if __name__ == "__main__":
    main()
