"""Which way of computing is fastest here: steps of each, timed in turn with those of the best so far."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from cnn_core.recipe import TrainingSpec
from cnn_core.training.execution import Execution, alternatives, fixed
from cnn_core.training.step import WARM_STEPS, Step, recorded_size

FRACTION = 0.01  # of the whole run that may be spent on the alternatives together …
LEAST, MOST = 0.6, 60.0  # … but never less than this, nor more, in seconds
WORTH = 0.85  # an alternative has to take less than this share of the time
# Timings of the two in turn: enough for a no, for a yes, and when they disagree. Simulated with timings spread over e
# times the shortest, one of two equal ways counts as faster in 4% of cases, and one of half the time in 92%.
NO_PAIRS, YES_PAIRS, MOST_PAIRS = 3, 5, 15
HOPELESS = 2.0  # an alternative that took so many times as long is not timed again
SAMPLE_SECONDS = 0.02  # steps shorter than this are timed several at once


@dataclass(frozen=True)
class Answer:
    """What was chosen for a run of some length, and on what grounds."""

    execution: Execution
    seconds: dict[str, float] = field(default_factory=dict)  # of a step, the best timing of each way that was measured
    untried: tuple[str, ...] = ()  # alternatives the time of that run did not allow: a longer one may measure them


@dataclass(frozen=True)
class Question:
    """A network on the CPU or a GPU, what the recipe says of its training, and a batch of it."""

    network: nn.Module
    training: TrainingSpec
    device: torch.device
    batch: tuple[Tensor, Tensor]
    steps: int  # of the whole run


class Trial:
    """Steps of a copy of the network, computed in one way, as the run would compute them and warm."""

    def __init__(self, question: Question, execution: Execution):
        self.execution, self._batch, self._device = execution, question.batch, question.device
        size = recorded_size(question.steps, len(question.batch[0]), question.device)
        execution.apply()
        network = copy.deepcopy(question.network).train()
        self._step = Step(network, question.training, question.device, execution, size)
        self._run(WARM_STEPS + 2 if size else 1)
        self._repeats, self.best = 1, math.inf
        self._repeats = min(100, math.ceil(SAMPLE_SECONDS / self.time()))

    def time(self) -> float:
        """Seconds of a step now, the mean of a few if it is short."""
        self.execution.apply()
        began = time.perf_counter()
        self._run(self._repeats)
        seconds = (time.perf_counter() - began) / self._repeats
        self.best = min(self.best, seconds)
        return seconds

    def _run(self, steps: int) -> None:
        for _ in range(steps):
            self._step(*self._batch, rate=0.0)
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)


def measure(question: Question) -> Answer:
    """Leaves the network and torch's random state as they were."""
    gpus = [question.device] if question.device.type == "cuda" else []
    start = fixed(question.training, question.device)
    with torch.random.fork_rng(devices=gpus):
        answer = _race(lambda execution: Trial(question, execution), question, start)
    if gpus:
        torch.cuda.empty_cache()  # what the trials recorded is held apart from other memory until it is handed back
    return answer


def budget(steps: int, seconds: float) -> float:
    """Seconds that may be spent on alternatives before a run of so many steps of so many seconds."""
    return min(MOST, max(LEAST, FRACTION * steps * seconds))


def _race(trial: Callable[[Execution], Trial], question: Question, start: Execution) -> Answer:
    best = trial(start)
    seconds, untried = {str(start): best.best}, []
    end = time.perf_counter() + budget(question.steps, best.best)
    for change in alternatives(start, question.training, question.device):
        if time.perf_counter() + (2 * NO_PAIRS + 1) * best.best > end:
            untried.append(_name(change))
            continue
        try:
            other = trial(replace(best.execution, **change))
            half = (end - time.perf_counter()) / 2  # the rest is for the next alternatives
            faster = is_faster(other.time, best.time, _within(half))
        except torch.OutOfMemoryError:  # two copies of the network do not fit on this GPU
            untried.append(_name(change))
            continue
        seconds |= {str(other.execution): other.best, str(best.execution): best.best}
        if faster:
            best = other
    return Answer(best.execution, seconds, tuple(untried))


def is_faster(other: Callable[[], float], best: Callable[[], float], time_left: Callable[[], bool]) -> bool:
    """Whether `other` takes clearly less time than `best`; both are called in turn and return seconds.

    What slows the computer down for a while meets both, and of slow moments neither the median of the ratios nor the
    fastest timings take much notice; both have to agree.
    """
    ours: list[float] = []
    theirs: list[float] = []
    while len(ours) < MOST_PAIRS:
        for timings, run in ((ours, other), (theirs, best))[:: -1 if len(ours) % 2 else 1]:
            timings.append(run())
        ratios = [mine / their for mine, their in zip(ours, theirs, strict=True)]
        fastest = min(ours) < WORTH * min(theirs)
        if ratios[0] > HOPELESS:
            return False
        no = not fastest and min(ratios) >= WORTH
        yes = fastest and max(ratios) < WORTH and len(ours) >= YES_PAIRS
        if len(ours) >= NO_PAIRS and (no or yes or not time_left()):
            break
    return fastest and median(ratios) < WORTH


def _within(seconds: float) -> Callable[[], bool]:
    end = time.perf_counter() + seconds
    return lambda: time.perf_counter() < end


def _name(change: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in change.items())
