"""The time that choosing how to compute may take, what is tried in it first, and what noise does to a comparison."""

import math
import random
from collections.abc import Callable

import pytest
import torch

from cnn_core.recipe import TrainingSpec
from cnn_core.training import measuring
from cnn_core.training.execution import Execution, alternatives, fixed
from cnn_core.training.measuring import (
    LEAST,
    MOST,
    MOST_PAIRS,
    NO_PAIRS,
    YES_PAIRS,
    Answer,
    Question,
    budget,
    is_faster,
)

CPU, GPU = torch.device("cpu"), torch.device("cuda")


class Clock:
    """Time that passes only when a step is computed."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(measuring.time, "perf_counter", clock)
    monkeypatch.setattr("cnn_core.training.execution.computes_bfloat16", lambda device: True)
    monkeypatch.setattr("cnn_core.training.execution.allowed_threads", lambda wanted: 4)
    return clock


def answer(clock: Clock, steps: int, seconds_of: Callable[[Execution], float]) -> Answer:
    """What is chosen for a run of so many steps, each of which would take that long."""

    class Trial:
        def __init__(self, execution: Execution):
            self.execution, self.best = execution, math.inf
            self.time()

        def time(self) -> float:
            seconds = seconds_of(self.execution)
            clock.now += seconds
            self.best = min(self.best, seconds)
            return seconds

    training = TrainingSpec()
    batch = torch.empty(0), torch.empty(0)
    question = Question(torch.nn.Sequential(), training, CPU, batch, steps)
    return measuring._race(Trial, question, fixed(training, CPU))


def test_the_time_to_spend_is_a_share_of_the_run_within_bounds() -> None:
    assert budget(10, 0.001) == LEAST
    assert budget(60_000, 0.001) == LEAST == pytest.approx(0.01 * 60_000 * 0.001)
    assert budget(60_001, 0.001) > LEAST
    assert budget(10_000, 0.075) == pytest.approx(7.5)
    assert budget(3 * 10**6, 0.002) == MOST
    assert budget(10**9, 1.0) == MOST


@pytest.mark.parametrize("seconds", [0.08, 0.5, 2.0])
def test_long_steps_are_measured_where_the_run_is_long(clock: Clock, seconds: float) -> None:
    def seconds_of(execution: Execution) -> float:
        return seconds * (0.5 if execution.layout == "channels_first" else 1.0)

    steps = 5000
    chosen = answer(clock, steps, seconds_of)
    assert chosen.execution.layout == "channels_first"
    assert chosen.seconds[str(chosen.execution)] == seconds / 2
    trial = 2 * NO_PAIRS * seconds  # the one that is begun last may end after the time is over
    assert clock.now <= 2 * seconds + budget(steps, seconds) + trial


def test_what_there_was_no_time_for_is_said_to_be_untried(clock: Clock) -> None:
    chosen = answer(clock, 10, lambda execution: 0.5)
    assert chosen.execution == fixed(TrainingSpec(), CPU)
    assert list(chosen.seconds) == [str(chosen.execution)]
    assert chosen.untried == ("precision bfloat16", "layout channels_first", "pool_first False", "threads 2")
    assert clock.now == 0.5  # not one step more
    assert answer(clock, 10, lambda execution: 0.001).untried == ()


def test_the_most_promising_is_tried_first(clock: Clock) -> None:
    steps, seconds = 800, 0.5  # time for one
    assert answer(clock, steps, lambda execution: seconds).untried[0] == "layout channels_first"
    open_on_a_gpu = Execution("bfloat16", "channels_last", True, 4)
    changes = list(alternatives(open_on_a_gpu, TrainingSpec(), GPU))
    assert changes == [{"precision": "tf32"}, {"layout": "channels_first"}, {"pool_first": False}]


def test_what_does_not_fit_in_memory_is_left_untried(clock: Clock) -> None:
    def seconds_of(execution: Execution) -> float:
        if execution.layout == "channels_first":
            raise torch.OutOfMemoryError
        return 0.001

    chosen = answer(clock, 1000, seconds_of)
    assert chosen.untried == ("layout channels_first",)
    assert chosen.execution == fixed(TrainingSpec(), CPU)


def in_turn(other: list[float], best: list[float], time_left: bool = True) -> tuple[bool, int]:
    """The verdict for timings that come in turn, and how many pairs it took."""
    left = iter(other), iter(best)
    taken = [0, 0]

    def timer(number: int) -> Callable[[], float]:
        def time() -> float:
            taken[number] += 1
            return next(left[number])

        return time

    verdict = is_faster(timer(0), timer(1), lambda: time_left)
    assert taken[0] == taken[1]
    return verdict, taken[0]


def noisy(seconds: float, noise: list[float]) -> list[float]:
    return [seconds * factor for factor in noise]


def test_a_comparison_in_turn_stands_noise() -> None:
    even = [1.0] * MOST_PAIRS
    burst = [1.0, 4.0, *even[2:]]
    slower = [1.0 + 0.5 * number for number in range(MOST_PAIRS)]  # a computer that gets busier and busier
    assert in_turn(noisy(0.7, even), even) == (True, YES_PAIRS)
    assert in_turn(noisy(0.9, even), even) == (False, NO_PAIRS)
    assert in_turn(noisy(0.7, slower), slower) == (True, YES_PAIRS)
    assert in_turn(noisy(0.7, burst), even)[0]  # one slow moment of the faster one
    assert not in_turn(even, burst)[0]  # and of an equal one's rival
    assert in_turn(noisy(2.1, even), even) == (False, 1)  # hopeless: no second look
    assert in_turn([0.7, 1.2, 0.7, 0.7], even, time_left=False) == (True, NO_PAIRS)


@pytest.mark.parametrize(("spread", "wrong"), [(0.3, 10), (1.0, 80)])
def test_noise_hardly_ever_tells_equal_ones_apart(spread: float, wrong: int) -> None:
    noise = random.Random(0)

    def timing() -> float:
        return math.exp(abs(noise.gauss(0.0, spread)))

    assert sum(is_faster(timing, timing, lambda: True) for _ in range(1000)) <= wrong
    assert sum(is_faster(lambda: 0.5 * timing(), timing, lambda: True) for _ in range(1000)) >= 850
